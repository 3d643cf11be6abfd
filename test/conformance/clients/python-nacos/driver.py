"""Drives the unmodified nacos-sdk-python (2.0.x and 3.x) over JSON lines, so that a test in another language can steer it as a
child process: commands on stdin, answers and events on stdout."""

import argparse
import asyncio
import json
import os
import sys
import threading
from importlib.metadata import version

from v2.nacos import (
    BatchRegisterInstanceParam,
    ClientConfigBuilder,
    ConfigParam,
    DeregisterInstanceParam,
    GRPCConfig,
    ListInstanceParam,
    ListServiceParam,
    NacosConfigService,
    NacosNamingService,
    RegisterInstanceParam,
    SubscribeServiceParam,
    TLSConfig,
)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--grpc-port", type=int, help="the server's gRPC port, else its port + 1000")
    parser.add_argument("--tmp", required=True, help="folder for the client's logs and caches")
    parser.add_argument("--namespace", default="")
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--ca", help="whom to trust, in a file: over TLS then")
    parser.add_argument("--cert", default="", help="a certificate of its own, in a file, which over TLS this client cannot be without")
    parser.add_argument("--key", default="", help="the key of that, in a file")
    return parser.parse_args()


def client_config(options):
    """A new one for each client: they write into it."""
    builder = (
        ClientConfigBuilder()
        .server_address(options.server)
        .namespace_id(options.namespace)
        .log_dir(os.path.join(options.tmp, "log"))
        .cache_dir(os.path.join(options.tmp, "cache"))
    )
    if options.username is not None:
        builder.username(options.username).password(options.password)
    if options.grpc_port is not None:
        main_port = int(options.server.rsplit(":", 1)[1])
        builder.grpc_config(GRPCConfig(port_offset=options.grpc_port - main_port))
    if options.ca is not None:
        builder.tls_config(TLSConfig(enabled=True, ca_file=options.ca, cert_file=options.cert, key_file=options.key))
    return builder.build()


def as_instance(fields, service, group):
    return RegisterInstanceParam(
        service_name=service,
        group_name=group,
        ip=fields["ip"],
        port=fields["port"],
        cluster_name=fields.get("cluster", ""),
        weight=fields.get("weight", 1),
        enabled=fields.get("enabled", True),
        ephemeral=fields.get("ephemeral", True),
        metadata=fields.get("metadata") or {},
    )


def printable(instances):
    return [
        {
            "ip": each.ip,
            "port": each.port,
            "cluster": each.clusterName,
            "service": each.serviceName,
            "weight": each.weight,
            "healthy": each.healthy,
            "enabled": each.enabled,
            "ephemeral": each.ephemeral,
            "instanceId": each.instanceId,
            "metadata": each.metadata,
        }
        for each in instances
    ]


class Driver:
    def __init__(self, options, out):
        self.options = options
        self.out = out
        self.naming = None
        self.configs = None
        # To unsubscribe, the client wants the very callback that it was given.
        self.callbacks = {}

    def print(self, **line):
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()

    async def serve(self, lines):
        self.naming = await NacosNamingService.create_naming_service(client_config(self.options))
        # 3.x goes on trying behind the scenes where 2.0.x raises, and has no event for when it has succeeded.
        while not await self.naming.server_health():
            await asyncio.sleep(0.05)
        self.print(event="ready", client="python", version=version("nacos-sdk-python"))
        while True:
            command = {}
            try:
                command = json.loads(await lines.get())
                result = await self.run(**command)
            except Exception as error:
                self.print(id=command.get("id"), ok=False, error=f"{type(error).__name__}: {error}")
            else:
                self.print(id=command.get("id"), ok=True, result=result)
                if command["op"] == "quit":
                    return

    async def run(self, op, id=None, service="", group="DEFAULT_GROUP", **fields):
        match op:
            case "register":
                return succeeded(await self.naming.register_instance(as_instance(fields, service, group)))
            case "update":
                return succeeded(await self.naming.update_instance(as_instance(fields, service, group)))
            case "deregister":
                instance = DeregisterInstanceParam(
                    service_name=service,
                    group_name=group,
                    ip=fields["ip"],
                    port=fields["port"],
                    cluster_name=fields.get("cluster", ""),
                    ephemeral=fields.get("ephemeral", True),
                )
                return succeeded(await self.naming.deregister_instance(instance))
            case "batchRegister":
                return succeeded(await self.naming.batch_register_instances(batch(fields, service, group)))
            case "batchDeregister":
                return succeeded(await self.naming.batch_deregister_instances(batch(fields, service, group)))
            case "instances":
                return printable(await self.instances(service, group, **fields))
            case "subscribe":
                return await self.subscribe(service, group, fields.get("clusters", []))
            case "unsubscribe":
                return await self.unsubscribe(service, group, fields.get("clusters", []))
            case "services":
                asked = ListServiceParam(group_name=group, page_no=fields.get("pageNo", 1), page_size=fields.get("pageSize", 10))
                page = await self.naming.list_services(asked)
                return {"count": page.count, "names": page.services}
            case "serverStatus":
                return "UP" if await self.naming.server_health() else "DOWN"
            case "configGet":
                config = ConfigParam(data_id=fields["dataId"], group=group)
                return content_or_none(await (await self.config_service()).get_config(config))
            case "configPublish":
                config = ConfigParam(
                    data_id=fields["dataId"], group=group, content=fields["content"], cas_md5=fields.get("casMd5", "")
                )
                return await (await self.config_service()).publish_config(config)
            case "configRemove":
                config = ConfigParam(data_id=fields["dataId"], group=group)
                return await (await self.config_service()).remove_config(config)
            case "configListen":
                return await (await self.config_service()).add_listener(fields["dataId"], group, self.config_changed)
            case "quit":
                return await self.shut_down()
        raise ValueError(f"unknown op {op!r}")

    async def instances(self, service, group, clusters=(), healthyOnly=False, fresh=False):
        if fresh:
            # Below the naming service, whose own methods prefer the cache: it subscribes even where it is told not to.
            proxy = self.naming.grpc_client_proxy
            return (await proxy.query_instance_of_service(service, group, ",".join(clusters), healthyOnly)).hosts
        # Not False: that asks for the unhealthy alone.
        healthy_only = True if healthyOnly else None
        return await self.naming.list_instances(
            ListInstanceParam(service_name=service, group_name=group, clusters=list(clusters), healthy_only=healthy_only)
        )

    async def subscribe(self, service, group, clusters):
        async def changed(instances):
            self.print(event="change", service=service, group=group, instances=printable(instances))

        # Kept even if it fails: the client has it by then.
        self.callbacks.setdefault((service, group, *clusters), []).append(changed)
        await self.naming.subscribe(subscription(service, group, clusters, changed))

    async def unsubscribe(self, service, group, clusters):
        callbacks = self.callbacks.get((service, group, *clusters))
        if not callbacks:
            raise ValueError("not subscribed")
        await self.naming.unsubscribe(subscription(service, group, clusters, callbacks.pop()))

    async def config_service(self):
        if self.configs is None:
            self.configs = await NacosConfigService.create_config_service(client_config(self.options))
        return self.configs

    async def config_changed(self, _tenant, group, data_id, content):
        self.print(event="config", dataId=data_id, group=group, content=content_or_none(content))

    async def shut_down(self):
        if self.configs is not None:
            await self.configs.shutdown()
        try:
            await self.naming.shutdown()
        except TypeError:
            # 2.0.11 closes everything, then awaits what is no coroutine.
            pass


def batch(fields, service, group):
    instances = [as_instance(each, service, group) for each in fields["instances"]]
    return BatchRegisterInstanceParam(service_name=service, group_name=group, instances=instances)


def subscription(service, group, clusters, callback):
    return SubscribeServiceParam(service_name=service, group_name=group, clusters=clusters, subscribe_callback=callback)


def succeeded(outcome):
    if not outcome:
        raise RuntimeError("the client returned False")


def content_or_none(content):
    """The client has "" for what does not exist, and publishes nothing empty."""
    return content or None


def read_lines(loop, lines):
    """On its own thread, so that the end of stdin ends the process even while a command waits for an answer."""
    for line in sys.stdin.buffer:
        if line.strip():
            loop.call_soon_threadsafe(lines.put_nowait, line)
    os._exit(0)


async def main():
    options = parse_arguments()
    # Whatever the client prints must not end up between the lines.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # gRPC would go through a proxy even to loopback.
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        os.environ.pop(name, None)
    lines = asyncio.Queue()
    threading.Thread(target=read_lines, args=(asyncio.get_running_loop(), lines), daemon=True).start()
    await Driver(options, out).serve(lines)
    # The client leaves tasks behind that would wait for half a minute.
    os._exit(0)


asyncio.run(main())
