"""Delivers a reply to the person who spoke, however they did: its text with its buttons, and what follows the text."""

from __future__ import annotations

from slack_sdk import WebClient

from bot.context import BotContext
from bot.dispatch import Reply
from bot.listeners import private_answer_delivery, stack_picture
from bot.listeners.recipient import Recipient
from bot.listeners.whisper import whisper


def deliver(bot: BotContext, client: WebClient, recipient: Recipient, reply: Reply) -> None:
    """All of the reply, and wake a worker for its runs."""
    bot.wake_worker(*reply.runs)
    if reply.text:
        whisper(client, recipient.channel, recipient.user, reply.text, recipient.thread, reply.buttons)
    follow(bot, client, recipient, reply)


def follow(bot: BotContext, client: WebClient, recipient: Recipient, reply: Reply) -> None:
    """What comes after a text that was given already: pictures, and what a run finds for this person alone."""
    if reply.stack is not None:
        stack_picture.follow_up(bot, client, recipient, reply.stack)
    if reply.private:
        private_answer_delivery.follow_up(bot, client, recipient, reply.private)
