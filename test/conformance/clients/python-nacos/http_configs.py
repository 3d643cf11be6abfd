"""Drives the client for HTTP that nacos-sdk-python (2.0.x) still brings, as far as texts go, over JSON lines: commands on stdin,
answers and events on stdout."""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
from importlib.metadata import version

from nacos import NacosClient

PR_SET_PDEATHSIG = 1


def end_with_parent():
    """The client starts a process of its own, which would outlive a driver that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--tmp", required=True, help="folder for the client's logs and snapshots")
    parser.add_argument("--namespace", default="")
    return parser.parse_args()


class Driver:
    def __init__(self, options):
        self.out = os.fdopen(os.dup(1), "w", buffering=1)
        # Whatever else is printed goes to stderr.
        os.dup2(2, 1)
        self.lock = threading.Lock()
        self.client = NacosClient(options.server, namespace=options.namespace, logDir=options.tmp)
        # What it has kept of earlier is no answer of the server's.
        self.client.set_options(no_snapshot=True, snapshot_base=options.tmp, failover_base=options.tmp)

    def say(self, line):
        with self.lock:
            self.out.write(json.dumps(line) + "\n")

    def listen(self, data_id, group):
        def told(params):
            self.say({"event": "config", "dataId": data_id, "group": group, "content": params["content"]})

        self.client.add_config_watcher(data_id, group, told)

    def perform(self, command):
        op, data_id, group = command["op"], command.get("dataId"), command.get("group")
        if op == "configGet":
            return self.client.get_config(data_id, group)
        if op == "configPublish":
            return self.client.publish_config(data_id, group, command["content"])
        if op == "configRemove":
            return self.client.remove_config(data_id, group)
        if op == "configListen":
            return self.listen(data_id, group)
        raise ValueError(f"unknown op: {op}")

    def serve(self):
        self.say({"event": "ready", "client": "python", "version": version("nacos-sdk-python")})
        for line in sys.stdin:
            command = json.loads(line)
            try:
                self.say({"id": command["id"], "ok": True, "result": self.perform(command)})
            except Exception as error:  # whatever the client makes of a refusal
                self.say({"id": command["id"], "ok": False, "error": str(error)})


os.register_at_fork(after_in_child=end_with_parent)
Driver(parse_arguments()).serve()
os._exit(0)
