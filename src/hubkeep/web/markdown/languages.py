# SPDX-License-Identifier: Apache-2.0
"""Which lexer reads which language, found without loading any.

A list of our own, of what is in model repositories: each lexer more is more patterns that hostile
text may be slow in, and those here were tried with such text.
"""

from functools import cache
from posixpath import basename
from threading import Lock

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class

# The name of a lexer in Pygments, and what a fence or the end of a file's name may call it.
_LANGUAGES = {
    "Bash": "bash sh shell zsh ksh bashrc profile env",
    "Bash Session": "console shell-session sh-session shellsession",
    "Batchfile": "bat batch cmd dosbatch",
    "BibTeX": "bib bibtex",
    "C": "c h",
    "C#": "cs csharp c#",
    "C++": "cpp c++ cc cxx hpp hh hxx",
    "CMake": "cmake cmakelists.txt",
    "CSS": "css",
    "CUDA": "cu cuda cuh",
    "Cython": "pyx pxd cython",
    "Dart": "dart",
    "Diff": "diff patch udiff",
    "Django/Jinja": "jinja jinja2 j2 django",
    "Docker": "dockerfile docker containerfile",
    "Elixir": "ex exs elixir",
    "Fortran": "f90 f95 f03 fortran",
    "Go": "go golang",
    "GraphQL": "graphql gql",
    "HTML": "html htm",
    "Haskell": "hs haskell",
    "INI": "ini cfg conf inf editorconfig",
    "JSON": "json jsonc json5 jsonl ndjson ipynb geojson jsonld",
    "Java": "java",
    "JavaScript": "js javascript mjs cjs jsx node",
    "Julia": "jl julia",
    "Kotlin": "kt kts kotlin",
    "Lua": "lua",
    "Makefile": "makefile make mk",
    "Markdown": "md markdown mdx",
    "Nix": "nix",
    "Objective-C": "objc objective-c objectivec mm",
    "PHP": "php",
    "Perl": "pl pm perl",
    "PowerShell": "ps1 psm1 powershell pwsh posh",
    "Protocol Buffer": "proto protobuf",
    "Python": "py python python3 py3 pyi pyw ipython ipython3 bzl starlark",
    "Python console session": "pycon python-console doctest",
    "Python Traceback": "pytb py3tb traceback",
    "Ruby": "rb ruby gemfile rakefile",
    "Rust": "rs rust",
    "S": "r rscript splus",
    "SCSS": "scss",
    "SQL": "sql sqlite postgresql postgres mysql duckdb",
    "Scala": "scala",
    "Swift": "swift",
    "TOML": "toml lock",
    "TeX": "tex latex sty cls",
    "Terraform": "tf hcl terraform",
    "TypeScript": "ts typescript tsx mts cts",
    "WebGPU Shading Language": "wgsl",
    "XML": "xml xsd svg rss atom plist",
    "YAML": "yml yaml cff",
    "Zig": "zig",
    "reStructuredText": "rst restructuredtext",
}
_BY_NAME = {name: lexer for lexer, names in _LANGUAGES.items() for name in names.split()}


def lexer_of(name_or_language: str) -> Lexer | None:
    """The lexer for a language as fences call it, or for a file by its name or path."""
    name = basename(name_or_language).lower()
    found = _BY_NAME.get(name) or _BY_NAME.get(name.rpartition(".")[2])
    if found is None:
        return None
    with _LOADING:
        return _loaded(found)


# Pygments makes a lexer's tables when it is first asked for, which two threads may not do at once.
_LOADING = Lock()


@cache
def _loaded(name: str) -> Lexer:
    """A lexer as Pygments has it. Lexers hold no state of a text, and serve all threads.

    Blocks of code within Markdown stay plain: their lexers would be any that Pygments knows.
    """
    return find_lexer_class(name)(stripnl=False, ensurenl=False, handlecodeblocks=False)
