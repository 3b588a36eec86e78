#!/usr/bin/env python3
"""Checks manifests, and turns them into what podman can play.

  manifests.py check FILE...                      schemas of all VERSIONS, and the rules of this project
  manifests.py broken JOB DEPLOYMENT              break them on purpose; each break must be found
  manifests.py action JOB STATUS                  what the Job does with an exit status: fail, retry, complete
  manifests.py pod FILE KIND NAME [KEY=VALUE]...  a Pod with the template of the Job or Deployment in FILE
"""

import base64
import copy
import os
import sys

import kubernetes_validate
import yaml

# The oldest one that the manifests are for, one in use, and the newest that the package knows.
VERSIONS = ("1.29", "1.33", "1.37")
IMAGE = "zerostarter-db:"
USER = 65532
FAIL_AT_ONCE = {2, 4, 6}


def load(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def template(manifest):
    return manifest["spec"]["template"]["spec"]


def schema_problems(manifest):
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = ".".join(str(step) for step in error.path)
            yield f"Kubernetes {version}: {where}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"Kubernetes {version}: {error}"


def container_problems(container, volumes):
    name = container["name"]
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: privilege escalation is allowed"
    if security.get("readOnlyRootFilesystem") is not True:
        yield f"{name}: the root file system can be written"
    if security.get("capabilities", {}).get("drop") != ["ALL"]:
        yield f"{name}: capabilities are not dropped"
    resources = container.get("resources", {})
    for kind in ("requests", "limits"):
        for what in ("cpu", "memory"):
            if what not in resources.get(kind, {}):
                yield f"{name}: no {kind}.{what}"
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
    for mount in mounts.keys() - volumes:
        yield f"{name}: mounts {mount}, which is no volume"
    names = [variable["name"] for variable in container.get("env", [])]
    if len(names) != len(set(names)):
        yield f"{name}: a variable is set twice"
    for variable in container.get("env", []):
        if variable["name"].endswith("_FILE"):
            if not any(variable["value"].startswith(path + "/") for path in mounts.values()):
                yield f"{name}: {variable['name']} is in no mounted volume"
    if container["image"].startswith(IMAGE):
        if container.get("args") not in (["migrate"], ["wait"]):
            yield f"{name}: its arguments are {container.get('args')}"
        if "NODE_ENV" not in names or "POSTGRES_URL_FILE" not in names:
            yield f"{name}: NODE_ENV or POSTGRES_URL_FILE is missing"


def pod_problems(spec):
    security = spec.get("securityContext", {})
    if security.get("runAsNonRoot") is not True:
        yield "may run as root"
    for key in ("runAsUser", "runAsGroup", "fsGroup"):
        if security.get(key) != USER:
            yield f"{key} is not {USER}"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "the seccomp profile is not RuntimeDefault"
    if spec.get("automountServiceAccountToken") is not False:
        yield "gets a token of the service account"
    if not 10 <= spec.get("terminationGracePeriodSeconds", 0) <= 120:
        yield "terminationGracePeriodSeconds is missing or odd"
    volumes = set()
    for volume in spec.get("volumes", []):
        volumes.add(volume["name"])
        # Read for the owner, root, and for the group, fsGroup; nothing for others.
        if "secret" in volume and volume["secret"].get("defaultMode") != 0o440:
            yield f"{volume['name']}: defaultMode is not 0440"
    containers = spec.get("initContainers", []) + spec["containers"]
    if not any(container["image"].startswith(IMAGE) for container in containers):
        yield "zerostarter-db is not in it"
    for container in containers:
        yield from container_problems(container, volumes)


def job_problems(job):
    spec = job["spec"]
    if template(job).get("restartPolicy") != "Never":
        yield "a podFailurePolicy needs restartPolicy Never"
    for key in ("backoffLimit", "activeDeadlineSeconds"):
        if key not in spec:
            yield f"{key} is missing"
    hook = job["metadata"].get("annotations", {}).get("helm.sh/hook")
    if hook is None and "ttlSecondsAfterFinished" not in spec:
        yield "ttlSecondsAfterFinished is missing"
    names = {container["name"] for container in template(job)["containers"]}
    for rule in spec.get("podFailurePolicy", {}).get("rules", []):
        codes = rule.get("onExitCodes")
        if codes:
            values = codes["values"]
            if codes.get("containerName") not in names:
                yield "the podFailurePolicy names another container"
            # The server refuses these, the schema does not.
            if values != sorted(set(values)) or 0 in values:
                yield "exit codes have to be sorted, unique and not 0"
    for status in range(1, 8):
        expected = "fail" if status in FAIL_AT_ONCE else "retry"
        if action(job, status) != expected:
            yield f"exit status {status} does not {expected}"


def problems(manifest):
    yield from schema_problems(manifest)
    if manifest["kind"] in ("Job", "Deployment"):
        yield from pod_problems(template(manifest))
    if manifest["kind"] == "Job":
        yield from job_problems(manifest)
    if manifest["kind"] == "Deployment":
        wanted = manifest["spec"]["selector"]["matchLabels"].items()
        if not wanted <= manifest["spec"]["template"]["metadata"]["labels"].items():
            yield "the selector does not match the template"


def action(job, status):
    """What the documentation of podFailurePolicy says: the first rule that matches counts."""
    if status == 0:
        return "complete"
    for rule in job["spec"].get("podFailurePolicy", {}).get("rules", []):
        codes = rule.get("onExitCodes")
        if codes and (status in codes["values"]) == (codes["operator"] == "In"):
            return {"FailJob": "fail", "Ignore": "ignore", "Count": "retry"}[rule["action"]]
    return "retry"


def check(paths):
    count = 0
    failed = False
    for path in paths:
        for manifest in load(path):
            count += 1
            for problem in problems(manifest):
                failed = True
                print(f"{path}: {manifest['kind']}: {problem}", file=sys.stderr)
    print(f"{count} manifests, on the schemas of Kubernetes {', '.join(VERSIONS)}")
    return 1 if failed or not count else 0


def at(node, path):
    for step in path[:-1]:
        node = node[step]
    return node, path[-1]


def put(*path, value):
    def change(manifest):
        node, key = at(manifest, path)
        node[key] = value

    return change


def drop(*path):
    def change(manifest):
        node, key = at(manifest, path)
        del node[key]

    return change


POD = ("spec", "template", "spec")
RULE = ("spec", "podFailurePolicy", "rules", 0)
JOB_BREAKS = {
    "a name that no schema knows": put("spec", "backofLimit", value=3),
    "text for a number": put("spec", "backoffLimit", value="three"),
    "no template": drop("spec", "template"),
    "a rule without an action": drop(*RULE, "action"),
    "another apiVersion": put("apiVersion", value="batch/v9"),
    "restartPolicy OnFailure": put(*POD, "restartPolicy", value="OnFailure"),
    "codes out of order": put(*RULE, "onExitCodes", "values", value=[4, 2, 6]),
    "a status that is tried again in vain": put(*RULE, "onExitCodes", "values", value=[2, 4]),
    "a status that is given up too early": put(*RULE, "onExitCodes", "values", value=[2, 3, 4, 6]),
    "a rule for another container": put(*RULE, "onExitCodes", "containerName", value="app"),
    "no deadline": drop("spec", "activeDeadlineSeconds"),
    "a secret that others can read": put(*POD, "volumes", 0, "secret", "defaultMode", value=0o444),
    "no fsGroup": drop(*POD, "securityContext", "fsGroup"),
    "no memory limit": drop(*POD, "containers", 0, "resources", "limits", "memory"),
    "capabilities": drop(*POD, "containers", 0, "securityContext", "capabilities"),
    "a mount without a volume": put(*POD, "volumes", value=[]),
    "a file that is not mounted": put(*POD, "containers", 0, "env", 1, "value", value="/etc/url"),
}
DEPLOYMENT_BREAKS = {
    "a probe of no kind": put(*POD, "containers", 0, "readinessProbe", value={"httpPost": {}}),
    "no selector": drop("spec", "selector"),
    "a selector for others": put("spec", "selector", "matchLabels", value={"a": "b"}),
    "root": put(*POD, "securityContext", "runAsNonRoot", value=False),
    "no init container": drop(*POD, "initContainers"),
    "another command": put(*POD, "initContainers", 0, "args", value=["check"]),
    "a token": drop(*POD, "automountServiceAccountToken"),
}


def broken(job_path, deployment_path):
    missed = 0
    for path, breaks in ((job_path, JOB_BREAKS), (deployment_path, DEPLOYMENT_BREAKS)):
        sound = load(path)[0]
        for name, change in breaks.items():
            manifest = copy.deepcopy(sound)
            change(manifest)
            try:
                found = next(problems(manifest), None)
            except KeyError as error:
                found = f"no {error}"
            if not found:
                missed += 1
                print(f"{path}: not found: {name}", file=sys.stderr)
    print(f"{len(JOB_BREAKS) + len(DEPLOYMENT_BREAKS)} broken manifests, {missed} of them accepted")
    return 1 if missed else 0


def pod(path, kind, name, settings):
    """A Pod, for podman: it plays no Job, and would start a container of a Deployment again and again."""
    manifest = next(manifest for manifest in load(path) if manifest["kind"] == kind)
    spec = template(manifest)
    spec["restartPolicy"] = "Never"
    # podman 4.3 looks at this without asking whether it is there.
    for volume in spec["volumes"]:
        next(volume[source] for source in ("secret", "configMap") if source in volume)["optional"] = False
    for container in spec.get("initContainers", []) + spec["containers"]:
        variables = container["env"]
        # podman 4.3 cannot use one secret both as a file and as a variable.
        variables[:] = [variable for variable in variables if "valueFrom" not in variable]
        if container["image"].startswith(IMAGE):
            values = dict(setting.split("=", 1) for setting in settings)
            variables[:] = [variable for variable in variables if variable["name"] not in values]
            variables.extend({"name": key, "value": value} for key, value in values.items())
    # The addresses come from the caller. Podman knows no stringData.
    urls = {"postgres_url": os.environ["TEST_URL"]}
    if "TEST_DIRECT_URL" in os.environ:
        urls["postgres_direct_url"] = os.environ["TEST_DIRECT_URL"]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "zerostarter-db"}}
    secret["data"] = {key: base64.b64encode(url.encode()).decode() for key, url in urls.items()}
    with open(os.environ["TEST_RAW_SECRET"], "w", encoding="utf-8") as file:
        yaml.safe_dump({**secret, "data": urls}, file)
    with open(os.environ["TEST_CA"], encoding="utf-8") as file:
        certificate = file.read()
    # Or podman would remove an init container that has succeeded, and there were nothing to look at.
    metadata = {"name": name, "annotations": {"io.podman.annotations.init.container.type": "always"}}
    print(
        yaml.safe_dump_all(
            [
                secret,
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "zerostarter-db-ca"},
                    "data": {"ca.pem": certificate},
                },
                {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
            ]
        )
    )
    return 0


def main(arguments):
    match arguments:
        case ["check", *paths]:
            return check(paths)
        case ["broken", job, deployment]:
            return broken(job, deployment)
        case ["action", job, status]:
            print(action(load(job)[0], int(status)))
            return 0
        case ["pod", path, kind, name, *settings]:
            return pod(path, kind, name, settings)
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main(sys.argv[1:]))
