"""The compose file and the image, checked as far as can be without an engine."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE
from threading import Thread
from typing import Any

import pytest
import yaml

from kafka_saga.app import load_app
from kafka_saga.console.settings import ConsoleSettings
from kafka_saga.definition.loader import load_definitions
from kafka_saga.local.configuration import Listeners, server_properties
from kafka_saga.views.settings import ViewsSettings
from kafka_saga.worker.settings import PASS_THROUGH, Settings
from services.comments.settings import ReviewSettings


class Healthy(BaseHTTPRequestHandler):
    """A service that is well: 200 to `/healthz`, and to nothing else."""

    def do_GET(self) -> None:  # the name that http.server calls
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as http.server names it
        pass


ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = {name: service for name, service in COMPOSE["services"].items() if name != "kafka"}
KNOWN = {
    f"SAGA_{name.upper()}"
    for settings in (Settings, ReviewSettings, ViewsSettings, ConsoleSettings)
    for name in settings.model_fields
}


def environment(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def test_every_service_has_a_container_of_its_own() -> None:
    assert set(OURS) == {"validator", "ast", "llm", "comments", "tracker", "views", "console"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_runs_its_module(name: str) -> None:
    python, dash_m, module = OURS[name]["command"]
    assert (python, dash_m, module) == ("python", "-m", f"services.{name}")
    assert importlib.util.find_spec(f"{module}.__main__") is not None


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_is_told_only_what_a_service_knows(name: str) -> None:
    told = {key for key in environment(OURS[name]) if not key.startswith(PASS_THROUGH)}
    assert told - {"SAGA_DEFINITIONS"} <= KNOWN


@pytest.mark.parametrize("name", sorted(OURS))
def test_all_services_use_the_same_kafka_the_same_blobs_and_one_image(name: str) -> None:
    service = OURS[name]
    assert environment(service)["SAGA_BOOTSTRAP_SERVERS"] == "kafka:19092"
    assert "saga:/var/lib/saga" in service["volumes"]
    assert (service["build"], service["image"]) == (".", "kafka-saga:latest")
    assert service["depends_on"] == {"kafka": {"condition": "service_healthy"}}


def test_the_tracker_follows_definitions_that_exist() -> None:
    names = environment(OURS["tracker"])["SAGA_DEFINITIONS"]
    assert [saga.name for saga in load_definitions(names)] == ["code_review"]


def test_the_image_asks_for_health_at_the_port_that_it_was_given() -> None:
    asked = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert asked is not None
    _, *arguments = json.loads(asked[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        Thread(target=server.handle_request, daemon=True).start()
        found = {"SAGA_HTTP_PORT": str(server.server_port)}
        assert subprocess.run([sys.executable, *arguments], check=False, env=found, timeout=30).returncode == 0
    assert subprocess.run([sys.executable, *arguments], check=False, env=found, stderr=PIPE, timeout=30).returncode != 0


def test_every_network_and_volume_is_declared() -> None:
    networks = {network for service in COMPOSE["services"].values() for network in service["networks"]}
    named = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service["volumes"]}
    assert networks == set(COMPOSE["networks"])
    assert {volume for volume in named if re.fullmatch(r"\w+", volume)} == set(COMPOSE["volumes"])


def test_kafka_is_reached_from_inside_and_from_this_machine_only() -> None:
    kafka = COMPOSE["services"]["kafka"]
    assert kafka["ports"] == ["127.0.0.1:9092:9092"]
    listeners = dict(one.split("://") for one in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert listeners == {"INSIDE": "kafka:19092", "OUTSIDE": "127.0.0.1:9092"}


def test_kafka_is_the_version_and_has_the_settings_of_the_embedded_one() -> None:
    pins = next((ROOT / "kafka_saga" / "local").glob("kafka-*.sha256")).stem.removeprefix("kafka-")
    kafka = COMPOSE["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{pins}"
    shared = ("offsets.retention.minutes", "auto.create.topics.enable", "transaction.state.log.replication.factor",
              "share.coordinator.state.topic.min.isr", "group.initial.rebalance.delay.ms",
        "controlled.shutdown.enable")  # fmt: skip
    embedded = server_properties_of_the_embedded()
    for name in shared:
        variable = "KAFKA_" + name.upper().replace(".", "_")
        assert kafka["environment"][variable] == embedded[name], name


def server_properties_of_the_embedded() -> dict[str, str]:
    return dict(server_properties(Path("data"), Listeners(1, 2)))


def test_the_image_copies_what_is_there_and_knows_its_settings() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M) for word in line.split()[:-1]]
    assert all((ROOT / path).exists() for path in copied)
    assert set(re.findall(r"\b(SAGA_\w+)=", DOCKERFILE)) - {"SAGA_APP", "SAGA_HOME"} <= KNOWN


def test_the_image_installs_the_framework_with_every_part_that_is_started_in_it() -> None:
    assert "kafka_saga" in copied_to("./kafka_saga")
    installed = re.search(r'pip install .*"\.\[([\w,]+)\]"', DOCKERFILE)
    assert installed is not None
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(installed[1].split(",")) == set(extras) - {"local", "dev"}


def test_the_image_has_the_application_on_its_path_and_names_it() -> None:
    variables = dict(re.findall(r"\b(PYTHONPATH|SAGA_APP)=(\S+)", DOCKERFILE))
    folder, app = variables["PYTHONPATH"], load_app(variables["SAGA_APP"])
    packages = {"schemas", "topology", "services"}
    assert {name for name in packages if copied_to(f"{folder}/{name}") == [name]} == packages
    assert app.services == {name: service["command"][2] for name, service in OURS.items()}


def copied_to(place: str) -> list[str]:
    return [source for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.M) if target == place]


def test_the_image_does_not_run_as_root() -> None:
    assert re.search(r"^USER saga$", DOCKERFILE, re.M)


def test_docker_compose_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed")
    done = subprocess.run(
        [docker, "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
