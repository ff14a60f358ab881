"""The dialogs of an incident: which recovery, with which arguments; who takes which role; what the public reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from actions.engine.procedure import Procedure
from actions.incidents.counted_losses import CountedLoss
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import ROLES
from actions.incidents.statuspage_drafts import Kind as DraftKind
from actions.incidents.suggested_recoveries import Fit, sentence
from actions.tools.outside import Draft
from bot.commands.parse_command import command_of
from bot.views import moment_fields
from bot.views.help import AGREES
from bot.views.mrkdwn import Block, cut, escape, section

RECOVER, ARGUMENTS, ROLE, STATUS = "incident-recover", "incident-arguments", "incident-role", "incident-status"
BLOCK, FIELD = "said", "field"
_REASONS = 5


def recover(
    incident: Incident,
    fits: Sequence[Fit],
    looks: Sequence[str] = (),
    losses: Sequence[CountedLoss] = (),
    into: str = "",
) -> Block:
    """Which recovery: before what was seen to be lost, then those that fit, with the reasons.

    A quick look may show what none of them names. `into` is the recovery to the moment before a loss.
    """
    why = [f"*{escape(command_of(fit.procedure))}*: {escape(fit.why)}" for fit in fits[:_REASONS] if fit.why]
    unsaid = [look for look in looks if not any(look in fit.why for fit in fits[:_REASONS])]
    why += [f"A quick look shows: {'; '.join(map(escape, unsaid))}."] if unsaid else []
    options = [_option(one.label(), _value(into, one)) for one in losses if into and one.before]
    options += [_option(f"{sentence(fit.procedure)} ({command_of(fit.procedure)})", fit.procedure.name) for fit in fits]
    chosen = {"type": "static_select", "options": options, "initial_option": options[0]}
    head = section(cut("\n".join(why) or "Nothing points to one of them; these are all."))
    return _modal(RECOVER, incident.id, "Recover", "Next", [head, _input("Which recovery?", chosen)])


def _value(into: str, loss: CountedLoss) -> str:
    return "|".join((into, loss.before.isoformat() if loss.before else "", loss.service, loss.site))[:150]


def chosen(view: dict[str, Any]) -> tuple[str, datetime | None, str, str]:
    """The procedure that was chosen, with the moment, the service and the site where a loss was."""
    name, moment, service, site = [*said(view).split("|"), "", "", ""][:4]
    return name, datetime.fromisoformat(moment) if moment else None, service, site


def arguments(
    incident: str, procedure: Procedure, moment: datetime | None = None, service: str = "", site: str = ""
) -> Block:
    """The arguments of the recovery that was chosen; its plan comes before anything is touched."""
    usage = procedure.words.usage
    told = section(f"{escape(sentence(procedure, service))}: {AGREES[procedure.risk]}. The plan comes first.")
    pointer = json.dumps({"incident": incident, "procedure": procedure.name, "service": service, "site": site})
    if usage == "<when>":
        asked = moment_fields.fields("To which moment?", procedure.words.examples, moment)
        return _modal(ARGUMENTS, pointer, "Recover", "Show the plan", [told, *asked])
    if not usage:
        return _modal(ARGUMENTS, pointer, "Recover", "Show the plan", [told])
    typed: Block = {
        "type": "plain_text_input",
        "max_length": 300,
        "placeholder": _plain(", ".join(procedure.words.examples)[:150] or usage),
    }
    return _modal(ARGUMENTS, pointer, "Recover", "Show the plan", [told, _input(usage, typed)])


def role(incident: str, user: str) -> Block:
    """Who takes which role."""
    options = [_option(name.capitalize(), name) for name in ROLES]
    which = _input("Role", {"type": "static_select", "options": options, "initial_option": options[0]})
    who = _input("Who", {"type": "users_select", "initial_user": user}, "who")
    return _modal(ROLE, incident, "Take a role", "Take it", [which, who])


def status(incident: str, draft: Draft, kind: DraftKind, components: str = "") -> Block:
    """What the public shall read; whoever publishes it can change every word.

    The field of the text is another one for each kind: Slack keeps what stands in a field that it knows.
    """
    kinds = ("opened", "started", "finished", "failed", "resolved")
    options = [_option(name.capitalize(), name) for name in kinds]
    which = {"type": "static_select", "options": options, "initial_option": options[kinds.index(kind)]}
    return _modal(
        STATUS,
        json.dumps({"incident": incident, "kind": kind}),
        "Status page",
        "Publish",
        [
            section("Everybody can read this. Nothing is published before you press Publish."),
            *([section(escape(components))] if components else []),
            _input("What happened", which, "kind"),
            _input("Title", {"type": "plain_text_input", "max_length": 255, "initial_value": draft.title}, "title"),
            _input(
                "Text",
                {"type": "plain_text_input", "multiline": True, "max_length": 3000, "initial_value": draft.text},
                f"{BLOCK} {kind}",
            ),
        ],
    )


def said(view: dict[str, Any], block: str = BLOCK) -> str:
    """What was typed or chosen in a field of a dialog."""
    values = view["state"]["values"]
    named = block if block in values else next((name for name in values if name.startswith(f"{block} ")), block)
    value = values.get(named, {}).get(FIELD, {})
    option = value.get("selected_option") or {}
    return str(value.get("value") or option.get("value") or value.get("selected_user") or "")


def _modal(callback: str, pointer: str, head: str, submit: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": pointer,
        "title": _plain(head),
        "submit": _plain(submit),
        "close": _plain("Back"),
        "blocks": blocks,
    }


def _input(label: str, element: Block, block: str = BLOCK) -> Block:
    return {"type": "input", "block_id": block, "label": _plain(label), "element": {**element, "action_id": FIELD}}


def _option(label: str, value: str) -> Block:
    return {"text": _plain(cut(label, 75)), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
