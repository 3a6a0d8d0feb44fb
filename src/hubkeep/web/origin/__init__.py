# SPDX-License-Identifier: Apache-2.0
"""What is sent from the other origin, on which what users wrote may run, and nothing else is.

Nobody is signed in there: no cookie and no token is read or set. What is private is reached by an
address that carries the right to it.
"""
