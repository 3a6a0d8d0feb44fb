# SPDX-License-Identifier: Apache-2.0
"""Fills the demonstration's hub: a process of its own, with a user's environment and client."""

from huggingface_hub import HfApi

from hubkeep.cli.demo_repos import repositories


def main() -> None:
    """Create and upload all repositories; those that are there already stay as they are."""
    api = HfApi()
    owner = api.whoami()["name"]
    for each in repositories(owner):
        name = f"{owner}/{each.name}"
        api.create_repo(
            name,
            repo_type=each.kind,
            space_sdk="static" if each.kind == "space" else None,
            exist_ok=True,
        )
        with each.written() as folder:
            api.upload_folder(
                repo_id=name, repo_type=each.kind, folder_path=folder, commit_message=each.message
            )
        print(f"filled {each.kind} {name}", flush=True)


if __name__ == "__main__":
    main()
