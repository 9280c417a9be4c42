"""Python reads this file at its start: a process has the host name that Docker would give its container."""

import os
import socket

socket.gethostname = lambda: os.environ["HOSTNAME"]
socket.getfqdn = lambda name="": name or os.environ["HOSTNAME"]
