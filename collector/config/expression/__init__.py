"""Expressions over the tags of a device: parsed by a grammar of our own, so that a document can never run code."""

from collector.config.expression.arithmetic import NotANumber, Number
from collector.config.expression.parser import Expression, parse_expression

__all__ = ["Expression", "NotANumber", "Number", "parse_expression"]
