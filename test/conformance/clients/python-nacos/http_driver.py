"""Drives the client for HTTP that nacos-sdk-python is in 0.1.x and still brings in 2.0.x, over JSON lines: commands on stdin,
answers and events on stdout."""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
import time
from importlib.metadata import version

from nacos import NacosClient
from nacos.listener import Event, SubscribeListener

PR_SET_PDEATHSIG = 1

BEAT_INTERVAL = 5
# The client's own is 7 s; nothing is pushed to it.
LOOKS_EVERY = 1
# No event tells that the last one has been answered.
LAST_BEAT_TAKES = 0.5


def end_with_parent():
    """The client starts a process of its own, which would outlive a driver that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--tmp", required=True, help="folder for the client's logs and snapshots")
    parser.add_argument("--namespace", default="")
    return parser.parse_args()


def printable(instances):
    return [
        {
            "ip": each["ip"],
            "port": each["port"],
            "cluster": each["clusterName"],
            "service": each["serviceName"],
            "weight": each["weight"],
            "healthy": each["healthy"],
            "enabled": each["enabled"],
            "ephemeral": each["ephemeral"],
            "instanceId": each["instanceId"],
            "metadata": each["metadata"],
        }
        for each in instances
    ]


def succeeded(answer):
    if not answer:
        raise RuntimeError("the server said no")


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

    def perform(self, op, id, **fields):
        return self.perform_on_texts(op, **fields) if op.startswith("config") else self.perform_on_services(op, **fields)

    def perform_on_services(
        self, op, service, group, ip="", port=0, cluster="DEFAULT", metadata=None, ephemeral=True, **fields
    ):
        # Unless it is told a cluster, it registers in one by the name of "None".
        where = {"service_name": service, "ip": ip, "port": port, "cluster_name": cluster, "group_name": group}
        if op == "register":
            # Without an interval it does not beat.
            beats_every = int((metadata or {}).get("preserved.heart.beat.interval", BEAT_INTERVAL * 1000)) / 1000
            return succeeded(
                self.client.add_naming_instance(
                    **where, metadata=metadata, ephemeral=ephemeral, heartbeat_interval=beats_every
                )
            )
        if op == "update":
            return succeeded(self.client.modify_naming_instance(**where, metadata=metadata, weight=fields.get("weight")))
        if op == "deregister":
            self.stop_beating(f"{service}#{ip}#{port}")
            return succeeded(self.client.remove_naming_instance(**where, ephemeral=ephemeral))
        if op == "instances":
            return printable(self.list(service, group))
        if op == "subscribe":
            return self.subscribe(service, group)
        raise ValueError(f"unknown op: {op}")

    def stop_beating(self, key):
        """The client stops only after its goodbye: a beat that is on its way by then registers the instance again."""
        task = self.client.heartbeats.get(key)
        if task:
            task.stop()
            time.sleep(LAST_BEAT_TAKES)

    def list(self, service, group):
        return self.client.list_naming_instance(service, group_name=group)["hosts"]

    def subscribe(self, service, group):
        """The client tells of one instance at a time, and of the first that it finds never."""
        seen = {each["instanceId"]: each for each in self.list(service, group)}

        def say_all():
            self.say({"event": "change", "service": service, "group": group, "instances": printable(seen.values())})

        def told(event, known):
            if event == Event.DELETED:
                seen.pop(known.instance_id, None)
            else:
                seen[known.instance_id] = known.instance
            say_all()

        say_all()
        self.client.subscribe(SubscribeListener(told, service), LOOKS_EVERY, service_name=service, group_name=group)
        for timer in self.client.subscribe_timer_manager.all_timers().values():
            # Otherwise it never looks again once a server was not there.
            timer.set_ignore_ex(True)

    def perform_on_texts(self, op, dataId, group, content=""):
        if op == "configGet":
            return self.client.get_config(dataId, group)
        if op == "configPublish":
            return self.client.publish_config(dataId, group, content)
        if op == "configRemove":
            return self.client.remove_config(dataId, group)
        if op == "configListen":
            return self.listen(dataId, group)
        raise ValueError(f"unknown op: {op}")

    def serve(self):
        self.say({"event": "ready", "client": "python", "version": version("nacos-sdk-python")})
        for line in sys.stdin:
            command = json.loads(line)
            try:
                self.say({"id": command["id"], "ok": True, "result": self.perform(**command)})
            except Exception as error:  # whatever the client makes of a refusal
                self.say({"id": command["id"], "ok": False, "error": str(error)})


os.register_at_fork(after_in_child=end_with_parent)
Driver(parse_arguments()).serve()
os._exit(0)
