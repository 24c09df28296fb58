"""Drives a control plane through the official Python client: list, create, watch, patch, delete, a typed error, pages, logs, and a kind of
its own through the dynamic client. What it uses is in the client's releases from 22 (Debian 12's) on.

Prints a line that begins with "ok" for each check; ends with code 1 at the first one that fails.

Usage: python3 main.py [KUBECONFIG]
"""

import sys
import threading
import time

from kubernetes import client, config, dynamic, utils, watch
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


def pages(core):
    """Lists in pages, from manifests that the client's own helper creates."""
    for index in range(7):
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"page-{index}", "labels": {"paged": "yes"}}}
        utils.create_from_dict(client.ApiClient(), manifest, namespace=NAMESPACE)
    names, token, requests = [], None, 0
    while requests == 0 or token:
        found = core.list_namespaced_secret(NAMESPACE, label_selector="paged=yes", limit=3, _continue=token)
        names += [item.metadata.name for item in found.items]
        token, requests = found.metadata._continue, requests + 1
    expect(requests == 3 and names == [f"page-{index}" for index in range(7)], f"{requests} pages with {names}")
    core.delete_collection_namespaced_secret(NAMESPACE, label_selector="paged=yes")
    left = core.list_namespaced_secret(NAMESPACE, label_selector="paged=yes").items
    expect(not left, f"{len(left)} are left of a collection that was deleted")
    ok("pages, and a collection deleted")


def logs(core):
    pod = core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items[0].metadata.name
    text = core.read_namespaced_pod_log(pod, NAMESPACE, tail_lines=1)
    expect(len(text.strip().splitlines()) == 1, f"the last line of the log is {text!r}")
    ok("logs")


def kind_of_its_own():
    """A CustomResourceDefinition through the typed client, then its objects through the dynamic one, which discovers them."""
    versions = [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {
                "openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {"type": "object", "properties": {"sails": {"type": "integer", "default": 1}}}},
                }
            },
        }
    ]
    names = {"plural": "sloops", "singular": "sloop", "kind": "Sloop", "listKind": "SloopList"}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "sloops.python.example.com"},
        "spec": {"group": "python.example.com", "scope": "Namespaced", "names": names, "versions": versions},
    }
    api = client.ApiextensionsV1Api()
    api.create_custom_resource_definition(crd)
    deadline = time.monotonic() + 60
    while not any(
        each.type == "Established" and each.status == "True"
        for each in api.read_custom_resource_definition(crd["metadata"]["name"]).status.conditions or []
    ):
        expect(time.monotonic() < deadline, "the CustomResourceDefinition is not established")
        time.sleep(0.1)
    sloops = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="python.example.com/v1", kind="Sloop")
    body = {"apiVersion": "python.example.com/v1", "kind": "Sloop", "metadata": {"name": "mary"}, "spec": {}}
    made = sloops.create(body=body, namespace=NAMESPACE)
    expect(made.spec.sails == 1, f"create answered {made}")
    merged = sloops.patch(
        name="mary", namespace=NAMESPACE, body={"spec": {"sails": 3}}, content_type="application/merge-patch+json"
    )
    expect(merged.spec.sails == 3 and merged.metadata.generation == 2, f"patch answered {merged}")
    expect([item.metadata.name for item in sloops.get(namespace=NAMESPACE).items] == ["mary"], "it is not in the list")
    sloops.delete(name="mary", namespace=NAMESPACE)
    api.delete_custom_resource_definition(crd["metadata"]["name"])
    ok("a kind of its own")


def main():
    config.load_kube_config(*sys.argv[1:2])
    core, apps = client.CoreV1Api(), client.AppsV1Api()
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    expect(len(core.list_node().items) > 0, "there are no nodes")
    config_maps(core)
    deployment(apps, core)
    logs(core)
    pages(core)
    kind_of_its_own()
    core.delete_namespace(NAMESPACE)
    deadline = time.monotonic() + 60
    while status_of(core.read_namespace, NAMESPACE) != 404:
        expect(time.monotonic() < deadline, "the namespace stays")
        time.sleep(0.1)
    ok("the namespace is gone")


if __name__ == "__main__":
    main()
