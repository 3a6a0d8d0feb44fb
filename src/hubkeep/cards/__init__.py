# SPDX-License-Identifier: Apache-2.0
"""What a repository says of itself: card front matter and model file headers.

Pure functions over bytes and JSON-like values; no HTTP, no SQL, no files. All input is taken
for hostile: whatever comes in, work and memory are bounded and what comes out is safe to store.
"""
