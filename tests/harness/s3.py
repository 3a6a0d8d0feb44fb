# SPDX-License-Identifier: Apache-2.0
"""An S3 service on loopback for tests: moto's server, one for each worker."""

import logging
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

ACCESS_KEY = "test"
SECRET_KEY = "secret"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where the service of this test run answers."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str):
    """A client to look behind the store's back with; the buckets `blobs` and `files` are there."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    for bucket in ("blobs", "files"):
        client.create_bucket(Bucket=bucket)
    yield client
    client.close()
