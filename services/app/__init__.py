"""The application on the framework: code review of pull requests, with its services, commands and page."""

from pathlib import Path

from kafka_saga import App, Command, Link, Page
from topology.code_review import CODE_REVIEW

SERVICES = ("validator", "ast", "llm", "comments", "tracker", "views", "console")

_EXITS_OF_A_REVIEW = (
    "Exit codes: 0 nothing at or above --fail-on, 1 error, 2 usage, 3 findings at or above it, 4 rejected, "
    "5 the saga failed, 6 no result within --timeout."
)

APP = App(
    definitions=(CODE_REVIEW,),
    services={name: f"services.{name}" for name in SERVICES},
    stateful=("validator",),
    commands=(
        Command("review", "services.app.review:review", _EXITS_OF_A_REVIEW),
        Command("demo", "services.app.demo:demo", "Exit codes: 0 the demo ran through, else those of `saga review`."),
    ),
    pages=(Page("services.app.page:ROUTES", Path(__file__).parent / "templates"),),
    api=("services.app.api:ROUTES",),
    links=(Link(CODE_REVIEW.name, "Review", "the diff with its findings", "review"),),
    settings=("services.comments.settings:ReviewSettings",),
    invitation="Review something: `saga review PATH`.",
)
