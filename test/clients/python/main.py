"""Drives a control plane through the official Python client: list, create, watch, patch, delete, and a typed error.

Prints a line that begins with "ok" for each check; ends with code 1 at the first one that fails.

Usage: python3 main.py [KUBECONFIG]
"""

import sys
import threading
import time

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

NAMESPACE = "python-clients"


def ok(name):
    print(f"ok {name}", flush=True)


def expect(condition, complaint):
    if not condition:
        print(f"FAILED {complaint}", flush=True)
        sys.exit(1)


def status_of(call, *args, **kwargs):
    """The HTTP status that a call is refused with; 0 if it is not."""
    try:
        call(*args, **kwargs)
    except ApiException as error:
        return error.status
    return 0


def events_until_deleted(core, name, since, events):
    for event in watch.Watch().stream(
        core.list_namespaced_config_map, NAMESPACE, resource_version=since, timeout_seconds=60
    ):
        if event["object"].metadata.name != name:
            continue
        events.append((event["type"], event["object"].metadata.resource_version))
        if event["type"] == "DELETED":
            return


def config_maps(core):
    since = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    events = []
    watcher = threading.Thread(target=events_until_deleted, args=(core, "settings", since, events), daemon=True)
    watcher.start()

    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="settings", labels={"app": "web"}), data={"colour": "blue"})
    made = core.create_namespaced_config_map(NAMESPACE, body)
    expect(made.metadata.uid and made.data == {"colour": "blue"}, f"create answered {made}")
    expect(status_of(core.create_namespaced_config_map, NAMESPACE, body) == 409, "a second create was not refused")
    ok("create")

    found = core.list_namespaced_config_map(NAMESPACE, label_selector="app=web").items
    expect([item.metadata.name for item in found] == ["settings"], f"list answered {found}")
    ok("list")

    patched = core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"colour": None, "size": "9007199254740993"}})
    expect(patched.data == {"size": "9007199254740993"}, f"patch answered {patched.data}")
    stale = status_of(core.replace_namespaced_config_map, "settings", NAMESPACE, made)
    expect(stale == 409, f"a replacement of what it was before was answered with {stale}")
    ok("patch and replace")

    core.delete_namespaced_config_map("settings", NAMESPACE)
    expect(status_of(core.read_namespaced_config_map, "settings", NAMESPACE) == 404, "it is there after its deletion")
    ok("delete")

    watcher.join(timeout=60)
    expect([kind for kind, _ in events] == ["ADDED", "MODIFIED", "DELETED"], f"the watch told {events}")
    versions = [int(version) for _, version in events]
    expect(versions == sorted(set(versions)), f"resourceVersions {versions}")
    ok("watch")


def deployment(apps, core):
    labels = {"app": "web"}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="web", image="registry.example/web:1")]),
    )
    spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=template)
    apps.create_namespaced_deployment(NAMESPACE, client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))
    stream = watch.Watch()
    for event in stream.stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=60):
        if event["object"].status.available_replicas == 2:
            stream.stop()
    expect(apps.read_namespaced_deployment_status("web", NAMESPACE).status.available_replicas == 2, "it does not become available")
    expect(len(core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items) == 2, "it has other Pods than two")
    ok("a Deployment becomes available")


def main():
    config.load_kube_config(*sys.argv[1:2])
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    expect(len(core.list_node().items) > 0, "there are no nodes")
    config_maps(core)
    deployment(apps, core)
    core.delete_namespace(NAMESPACE)
    deadline = time.monotonic() + 60
    while status_of(core.read_namespace, NAMESPACE) != 404:
        expect(time.monotonic() < deadline, "the namespace stays")
        time.sleep(0.1)
    ok("the namespace is gone")


if __name__ == "__main__":
    main()
