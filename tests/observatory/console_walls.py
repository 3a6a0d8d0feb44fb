# SPDX-License-Identifier: Apache-2.0
"""A program that puts up the console's walls and then tries to open a file and a connection."""

import os
import socket
import sys

from hubkeep.observatory.console.child import opened, wall_in

connection = opened(sys.argv[1])
wall_in(connection)
for attempt in (
    lambda: os.open("/etc/hostname", os.O_RDONLY),
    socket.socket,
    lambda: os.open("/tmp/written", os.O_CREAT | os.O_WRONLY),
):
    try:
        attempt()
    except OSError as refused:
        sys.stdout.write(f"{refused.errno} ")
    else:
        sys.stdout.write("opened ")
