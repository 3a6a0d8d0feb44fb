# SPDX-License-Identifier: Apache-2.0
"""The engine of Xet: hashes, xorbs, shards, and how a file is put together from chunks.

A file is cut by the client into chunks of about 64 KiB. Chunks are sent and kept in xorbs, and a
file is an ordered list of terms, each of which names a run of chunks of one xorb. A shard is the
message that tells the hub of files and xorbs. The format: https://huggingface.co/docs/xet

Everything here takes bytes and gives bytes: no HTTP, no SQL, no disk.
"""
