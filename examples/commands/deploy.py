#!/usr/bin/env python3
"""deploy run APP ENV [--version=V]: a pretended deploy that shows everything a
command of your own can do: progress, a dry run, a lock, a confirmation, an
approval, a secret, a clean end when it is cancelled. Replace roll_out().

Prints JSON lines; see docs/commands-own.md.
"""
import json
import os
import signal
import sys
import time

LATER = 75  # nothing was changed; try again


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)  # flush, or progress comes all at once at the end


stopping = False


def stop(*_):
    global stopping
    stopping = True  # and no more: printing inside a signal handler may meet a print


def roll_out(host, app, version):
    until = time.monotonic() + float(os.environ.get("SECONDS_PER_HOST", "1"))
    while time.monotonic() < until and not stopping:
        time.sleep(0.05)


def main():
    request = json.load(sys.stdin)  # who, where, why, and the arguments by name
    args = request["args"]
    app, env, version = args["app"], args["env"], args.get("version", "latest")

    if not os.environ.get("DEPLOY_TOKEN"):
        print("the secret DEPLOY_TOKEN is not set; an administrator of the server puts it into secrets/deploy.py/DEPLOY_TOKEN", file=sys.stderr)
        return LATER
    hosts = [f"{app}-{env}-{n}" for n in (1, 2, 3)]
    if request.get("dry_run"):
        say("result", text=f"Would deploy {app} {version} to {', '.join(hosts)}.")
        return 0

    signal.signal(signal.SIGTERM, stop)  # cancelled, or out of time: KILL follows after five seconds
    for n, host in enumerate(hosts):
        say("progress", percent=100 * n // len(hosts), text=f"{host}: {version}")
        roll_out(host, app, version)
        if stopping:
            say("result", text=f"Stopped at {host}; the hosts before it are on the new version.")
            return 1
    say("result", document={
        "status": "good",
        "blocks": [
            {"text": f"Deployed **{app}** {version} to {env}."},
            {"fields": [
                {"name": "hosts", "value": ", ".join(hosts)},
                {"name": "for", "value": request["user"]["username"]},
                {"name": "because", "value": request.get("reason") or "no reason was given"},
            ]},
            {"actions": [{"label": "Disk space", "line": "disk"}]},
        ],
    })
    return 0


if __name__ == "__main__":
    sys.exit(main())
