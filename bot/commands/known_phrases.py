"""Whole texts that people type, by the command that they mean. Each looks, or is free to be done."""

from __future__ import annotations

_SAME = {
    "recover status": (
        *("what's going on", "what is going on", "whats going on", "what is happening", "what's happening", "whats up"),
        *("how much longer", "how long still", "how long", "is done", "are we there yet", "finished", "is finished"),
        *("what happened", "whats broken", "what is broken", "what's broken"),
        *("what is running", "what's running", "state", "progress", "how is it going", "how far", "eta", "show status"),
    ),
    "recover version": ("version", "which version", "what version", "-v", "--version"),
    "recover runs": (
        "list",
        "ls",
        "history",
        "list runs",
        "show runs",
        "all runs",
        "recoveries",
        "logs",
        "log",
        "show",
    ),
    "recover stack": ("services", "health", "list services", "show services", "show stack", "list stack", "containers"),
    "recover window": (
        *("how far back can we go", "how far back", "what can be recovered", "recovery window", "show window"),
        *("last backup", "when was last backup", "list backups", "show backups", "oldest backup", "backups"),
        *("what can i restore", "what can i recover", "to when can i go back", "how far can i go back"),
        *("what can we recover", "windows", "which moments can be recovered", "recovery point", "rpo"),
    ),
    "recover help": (
        "?",
        "commands",
        "hi",
        "hello",
        "hey",
        "menu",
        "usage",
        "man",
        "what can you do",
        "help me",
        "-h",
        "--help",
    ),
    "recover postgres verify": (
        *("check postgres", "verify", "check", "integrity", "integrity check", "check integrity", "is postgres ok"),
        *("verify integrity", "check postgres integrity", "test postgres", "is postgres healthy", "verify postgres"),
    ),
    "recover postgres replication": (
        *("replication", "replication status", "replication lag", "show replication", "lag", "standby", "standbys"),
        *("replica", "replicas", "slots", "replication slots", "how is replication", "is standby ok", "standby status"),
    ),
    "recover postgres failover": (
        *("failover", "fail over", "postgres fail over", "failover postgres", "fail over postgres", "promote standby"),
        *("failover to standby", "fail over to standby", "promote replica", "postgres failover to standby"),
    ),
    "recover postgres switchover": (
        *("switchover", "switch over", "postgres switch over", "switch over postgres", "switchover to standby"),
        *("switch over to standby", "planned failover", "switch primary", "switch to standby"),
    ),
    "recover postgres replication setup": (
        *("replication setup", "set up replication", "setup replication", "build a standby", "build standby"),
        *("create standby", "make standby", "add standby", "build new standby", "rebuild standby", "new standby"),
    ),
    "recover approve": ("i approve", "ok do", "do", "go", "yes go", "yes do", "go on then"),
    "incident list": ("incidents", "list incidents", "open incidents", "show incidents", "which incidents are open"),
    "incident acknowledge": (
        "got it",
        "on it",
        "i'm on it",
        "i am on it",
        "taking",
        "i take",
        "i will take",
        "on my way",
        "i have",
        "i've got",
        "mine",
    ),
    "backup run base": (
        *(
            "take backup",
            "make backup",
            "backup now",
            "backup postgres",
            "backup postgres now",
            "run backup",
            "back up",
        ),
        *("base backup", "take base backup", "backup base", "backup run", "run base", "base", "back up postgres"),
        *("take backup postgres", "make base backup", "start backup", "run base backup", "create backup", "now"),
    ),
}
"""Without small words such as articles."""
PHRASES = {phrase: command for command, phrases in _SAME.items() for phrase in phrases}
