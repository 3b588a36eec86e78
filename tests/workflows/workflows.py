#!/usr/bin/env python3
"""Reads workflow files, for run.sh.

  workflows.py rules FILE...               the rules of this project: permissions, limits, fixed commits
  workflows.py scripts DIRECTORY FILE...   writes every shell script of GitHub or GitLab files to a file
  workflows.py snippets PAGE DIRECTORY     writes the YAML blocks of a page to DIRECTORY/github and /gitlab
"""

import re
import sys
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

OWNERS = {"actions", "docker"}
COMMIT = re.compile(r"[0-9a-f]{40}")
EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
# What the longest job of a healthy run may take, in minutes.
LONGEST = 60
# A pipe, but neither "||" nor a pattern of "case".
PIPE = re.compile(r"^(?!\s*\S+( \| \S+)*\)).*(?<!\|)\|(?!\|)", re.MULTILINE)
HEADER = "#!/usr/bin/env bash\nset -eo pipefail\n"


def load(path):
    try:
        return YAML(typ="safe", pure=True).load(Path(path))
    except YAMLError as error:
        sys.exit(f"{path}: {error}")


def jobs(document):
    return (document.get("jobs") or {}).items()


def steps(job):
    return job.get("steps") or []


def is_github(document):
    return "jobs" in document


def permission_problems(document):
    default = document.get("permissions")
    if default not in ({}, {"contents": "read"}):
        yield f"permissions are {default}, not {{}} or contents: read"
    for name, job in jobs(document):
        for what, right in (job.get("permissions") or {}).items():
            if right == "write" and what not in ("contents", "packages"):
                yield f"job {name} may write {what}"
        if default == {} and "permissions" not in job:
            yield f"job {name} has no permissions"


def step_problems(name, step):
    if "uses" not in step:
        return
    action, _, version = step["uses"].partition("@")
    if action.partition("/")[0] not in OWNERS:
        yield f"job {name} uses {action}, which is of neither {' nor '.join(sorted(OWNERS))}"
    if not COMMIT.fullmatch(version):
        yield f"job {name} uses {action} at {version or 'no version'}, not at a commit"
    if action == "actions/checkout" and (step.get("with") or {}).get("persist-credentials") is not False:
        yield f"job {name} leaves the credentials of the checkout on disk"


def job_problems(name, job):
    if "uses" not in job:
        limit = job.get("timeout-minutes")
        if not isinstance(limit, int) or not 0 < limit <= LONGEST:
            yield f"job {name} has no time limit of at most {LONGEST} minutes"
        if "latest" in str(job.get("runs-on")):
            yield f"job {name} runs on whatever is the latest"
    for step in steps(job):
        yield from step_problems(name, step)
        # Text of strangers, such as the name of a branch, belongs in a variable, never in the script.
        if EXPRESSION.search(step.get("run", "")):
            yield f"job {name} has an expression inside a script"


def has_shell(part):
    return ((part.get("defaults") or {}).get("run") or {}).get("shell") == "bash"


def pipe_problems(document):
    """Without `shell: bash` GitHub runs a script without pipefail."""
    for name, job in jobs(document):
        for step in steps(job):
            is_safe = step.get("shell") == "bash" or has_shell(job) or has_shell(document)
            if not is_safe and PIPE.search(step.get("run", "")):
                yield f"job {name}: a pipe hides the status of its first command without shell: bash"


def rules(paths):
    failed = False
    for path in paths:
        document = load(path)
        problems = [*permission_problems(document), *pipe_problems(document)]
        if "concurrency" not in document and not all("concurrency" in job for _, job in jobs(document)):
            problems.append("there is no concurrency group")
        for name, job in jobs(document):
            problems += job_problems(name, job)
        for problem in problems:
            print(f"{path}: {problem}")
            failed = True
    return 1 if failed else 0


def github_scripts(document):
    for name, job in jobs(document):
        for number, step in enumerate(steps(job), 1):
            if "run" in step:
                yield f"{name}-{number}", step["run"]


def gitlab_scripts(document):
    for name, job in document.items():
        if isinstance(job, dict):
            lines = [line for key in ("before_script", "script", "after_script") for line in job.get(key, [])]
            if lines:
                yield name, "\n".join(lines)


def scripts(directory, paths):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for path in paths:
        document = load(path)
        found = github_scripts if is_github(document) else gitlab_scripts
        for name, text in found(document):
            name = re.sub(r"\W", "-", f"{Path(path).stem}-{name}")
            text = EXPRESSION.sub("expression", text)
            (directory / f"{name}.sh").write_text(f"{HEADER}{text}\n", encoding="utf-8")
    return 0


def yaml_blocks(page):
    block, start = None, 0
    for number, line in enumerate(Path(page).read_text(encoding="utf-8").splitlines(), 1):
        if block is None and line == "```yaml":
            block, start = [], number
        elif block is not None and line == "```":
            yield start, block
            block = None
        elif block is not None:
            block.append(line)
    if block is not None:
        sys.exit(f"{page}:{start}: this block has no end")


def snippets(page, directory):
    """A block says in its first line which file it is."""
    count = {"github": 0, "gitlab": 0}
    for start, block in yaml_blocks(page):
        title = block[0] if block else ""
        if match := re.fullmatch(r"# \.github/workflows/([\w-]+)\.yml", title):
            kind, name = "github", match[1]
        elif title == "# .gitlab-ci.yml":
            kind, name = "gitlab", "gitlab-ci"
        else:
            sys.exit(f"{page}:{start}: the first line of this block does not say which file it is")
        count[kind] += 1
        target = Path(directory) / kind / f"{name}.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            sys.exit(f"{page}:{start}: there is another block for {name}.yml")
        target.write_text("\n".join(block) + "\n", encoding="utf-8")
    for kind, number in count.items():
        if number == 0:
            sys.exit(f"{page}: it has no block for {kind}")
    print(f"{count['github']} for GitHub, {count['gitlab']} for GitLab")
    return 0


def main(arguments):
    match arguments:
        case ["rules", *paths] if paths:
            return rules(paths)
        case ["scripts", directory, *paths] if paths:
            return scripts(directory, paths)
        case ["snippets", page, directory]:
            return snippets(page, directory)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
