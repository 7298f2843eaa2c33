"""The part of awk that scripts use for picking fields and reading ini files: text -> program.

An expression or statement is a tuple: its kind, then its parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"(?P<newline>[\n;])|(?P<space>[ \t]+|\\\n|#[^\n]*)|(?P<number>\d+(\.\d+)?|\.\d+)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<sign>\+\+|--|&&|\|\||==|!=|<=|>=|!~|[-+*/%]=|[-+*/%!<>=~?:,(){}\[\]$^])"
)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)*)/")
_MOST_TOKENS = 600
_BEFORE_VALUE = {"", "(", ",", "{", "}", "\n", "!", "~", "!~", "&&", "||", ";", "print", "?", ":"}

AwkNode = tuple[Any, ...]


class AwkError(ValueError):
    """No awk, or more of it than is known here."""


@dataclass(frozen=True)
class AwkRule:
    """A pattern with its action; `begin` and `end` for BEGIN and END; `last` ends a range."""

    pattern: AwkNode | None
    action: AwkNode | None  # None: print
    kind: str = "line"
    last: AwkNode | None = None


Token = tuple[str, str]


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        before = found[-1][1] if found else ""
        match = _REGEX.match(text, at) if text[at] == "/" and before in _BEFORE_VALUE else None
        if match:
            found.append(("regex", match[1].replace(r"\/", "/")))
        else:
            match = _TOKEN.match(text, at)
            if not match or len(found) > _MOST_TOKENS:
                raise AwkError(text[at : at + 20])
            if match.lastgroup == "newline":
                found.append(("sign", "\n"))
            elif match.lastgroup != "space":
                found.append((_kind(match), match[0]))
        at = match.end()
    return found


def _kind(match: re.Match[str]) -> str:
    for kind in ("number", "string", "name", "sign"):
        if match[kind]:
            return kind
    raise AwkError(match[0])


def parse_awk(text: str) -> list[AwkRule]:
    """Return the rules of a program.

    Raises:
        AwkError: it has something that is not known here.
    """
    parser = _Parser(_tokens(text))
    try:
        return parser.rules()
    except RecursionError:
        raise AwkError("nested too deeply") from None


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, *signs: str) -> str:
        kind, text = self._peek()
        if kind in {"sign", "name"} and text in signs:
            self._at += 1
            return text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise AwkError(f"{self._peek()[1] or 'the end'} in place of {sign}")

    def _skip(self) -> None:
        while self._take("\n"):
            pass

    def rules(self) -> list[AwkRule]:
        found: list[AwkRule] = []
        self._skip()
        while self._peek()[0] != "end":
            found.append(self._rule())
            self._skip()
        return found

    def _rule(self) -> AwkRule:
        kind = self._take("BEGIN", "END")
        if kind:
            return AwkRule(None, self._block(), kind.lower())
        last = None
        pattern = None if self._peek()[1] == "{" else self._expression()
        if pattern and self._take(","):
            last = self._expression()
        action = self._block() if self._peek()[1] == "{" else None
        return AwkRule(pattern, action, "line", last)

    def _block(self) -> AwkNode:
        self._expect("{")
        body: list[AwkNode] = []
        self._skip()
        while not self._take("}"):
            body.append(self._statement())
            self._skip()
        return ("block", body)

    def _statement(self) -> AwkNode:
        if self._peek()[1] == "{":
            return self._block()
        word = self._take("if", "for", "while", "print", "printf", "exit", "next")
        if not word:
            return ("do", self._expression())
        if word in {"exit", "next"}:
            return (word,)
        if word in {"print", "printf"}:
            return (word, self._list())
        return {"if": self._if, "for": self._for, "while": self._while}[word]()

    def _list(self) -> list[AwkNode]:
        if self._peek()[1] in {"\n", "}", ""}:
            return []
        values = [self._expression(inside_print=True)]
        while self._take(","):
            values.append(self._expression(inside_print=True))
        if self._peek()[1] == ">":
            raise AwkError("print into a file")
        return values

    def _if(self) -> AwkNode:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        self._skip()
        body = self._statement()
        at = self._at
        self._skip()
        if self._take("else"):
            self._skip()
            return ("if", condition, body, self._statement())
        self._at = at
        return ("if", condition, body, ("block", []))

    def _while(self) -> AwkNode:
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        self._skip()
        return ("for", None, condition, None, self._statement())

    def _for(self) -> AwkNode:
        self._expect("(")
        parts: list[AwkNode | None] = []
        for end in ("\n", "\n", ")"):
            parts.append(None if self._peek()[1] == end else self._expression())
            self._expect(end)
        self._skip()
        return ("for", *parts, self._statement())

    def _expression(self, *, inside_print: bool = False) -> AwkNode:
        left = self._choice(inside_print)
        operator = self._take("=", "+=", "-=", "*=", "/=", "%=")
        if not operator:
            return left
        if left[0] not in {"name", "field", "element"}:
            raise AwkError("an assignment to no variable")
        value = self._expression(inside_print=inside_print)
        return ("set", left, value if operator == "=" else ("binary", operator[0], left, value))

    def _choice(self, inside_print: bool) -> AwkNode:
        condition = self._binary(0, inside_print)
        if not self._take("?"):
            return condition
        first = self._expression()
        self._expect(":")
        return ("choice", condition, first, self._expression())

    def _binary(self, level: int, inside_print: bool) -> AwkNode:
        levels = (("||",), ("&&",), ("~", "!~"), ("==", "!=", "<", "<=", ">=", ">"))
        if level == len(levels):
            return self._joined()
        signs = [one for one in levels[level] if not (inside_print and one == ">")]
        left = self._binary(level + 1, inside_print)
        while operator := self._take(*signs):
            left = ("binary", operator, left, self._binary(level + 1, inside_print))
        return left

    def _joined(self) -> AwkNode:
        left = self._sum()
        while self._peek()[0] in {"number", "string", "name"} or self._peek()[1] in {"$", "("}:
            left = ("binary", "join", left, self._sum())
        return left

    def _sum(self) -> AwkNode:
        left = self._product()
        while operator := self._take("+", "-"):
            left = ("binary", operator, left, self._product())
        return left

    def _product(self) -> AwkNode:
        left = self._unary()
        while operator := self._take("*", "/", "%"):
            left = ("binary", operator, left, self._unary())
        return left

    def _unary(self) -> AwkNode:
        if operator := self._take("!", "-", "+"):
            return ("unary", operator, self._unary())
        if operator := self._take("++", "--"):
            return ("change", self._value(), 1 if operator == "++" else -1, "before")
        value = self._value()
        if operator := self._take("++", "--"):
            return ("change", value, 1 if operator == "++" else -1, "after")
        return value

    def _value(self) -> AwkNode:
        kind, text = self._next()
        if kind == "number":
            return ("constant", text)
        if kind == "string":
            return ("constant", _unescaped(text[1:-1]))
        if kind == "regex":
            return ("regex", text)
        if text == "$":
            return ("field", self._value())
        if text == "(":
            inner = self._expression()
            self._expect(")")
            return inner
        if kind == "name":
            return self._named(text)
        raise AwkError(text or "the end")

    def _named(self, name: str) -> AwkNode:
        if self._take("["):
            index = self._expression()
            self._expect("]")
            return ("element", name, index)
        if name in {"length", "substr", "index", "tolower", "toupper", "gsub", "sub", "split"}:
            return ("call", name, self._arguments())
        if self._peek()[1] == "(" and name != "print":
            raise AwkError(f"the function {name}")
        return ("name", name)

    def _arguments(self) -> list[AwkNode]:
        values: list[AwkNode] = []
        if self._take("("):
            while not self._take(")"):
                values.append(self._expression())
                self._take(",")
        return values


def _unescaped(text: str) -> str:
    plain = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: plain.get(found[1], found[1]), text, flags=re.DOTALL)
