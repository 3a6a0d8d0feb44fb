# SPDX-License-Identifier: Apache-2.0
"""Settings: from the environment and the command line; bad ones are named."""

from pathlib import Path

import pytest

from hubkeep.config import Config, ConfigError, dump, load


def test_defaults_need_only_a_folder(tmp_path: Path):
    config = load({}, data=str(tmp_path))
    assert config.database == f"sqlite:///{tmp_path}/hubkeep.db"
    assert config.blobs == f"file://{tmp_path}/blobs"
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 8080, 1)


def test_what_is_given_wins_over_the_environment():
    env = {"HUBKEEP_DATA": "/env", "HUBKEEP_PORT": "1", "HUBKEEP_HOST": "0.0.0.0"}
    config = load(env, port=2, host=None)
    assert (config.data, config.port, config.host) == (Path("/env"), 2, "0.0.0.0")


def test_lists_and_switches_in_the_environment():
    env = {
        "HUBKEEP_DATA": "/d",
        "HUBKEEP_ALLOWED_HOSTS": "a.example, .b.example,",
        "HUBKEEP_JOB_WORKER": "false",
    }
    config = load(env)
    assert config.allowed_hosts == ("a.example", ".b.example")
    assert config.job_worker is False


def test_empty_variables_are_unset():
    with pytest.raises(ConfigError, match="--data"):
        load({"HUBKEEP_DATA": ""})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"log_level": "loud"}, "log_level"),
        ({"sign_up": "perhaps"}, "sign_up"),
        ({"port": "abc"}, "port"),
        ({"port": 65536}, "port"),
        ({"workers": 0}, "workers"),
        ({"public_url": "hub.example.org"}, "public_url"),
        ({"public_url": "https://hub.example.org/prefix"}, "public_url"),
        ({"content_url": "content.example.org"}, "content_url"),
        (
            {"public_url": "https://hub.example.org", "content_url": "http://hub.example.org:81"},
            "content_url must have another host name",
        ),
        ({"database_url": "oracle://x"}, "database_url"),
    ],
)
def test_bad_settings_are_named(given: dict[str, object], says: str):
    with pytest.raises(ConfigError, match=says):
        load({}, data="/d", **given)


def test_a_bad_database_url_does_not_show_its_password():
    with pytest.raises(ConfigError) as refused:
        load({}, data="/d", database_url="oracle://me:secret@host/x")
    assert "secret" not in str(refused.value)


def test_a_child_process_gets_the_same_settings():
    config = Config(
        data=Path("/d"),
        database_url="postgresql://x/y",
        allowed_hosts=("a", "b"),
        trusted_proxies=(),
        job_worker=False,
        port=0,
        public_url="https://hub.example.org",
        s3_secret_key="s",
    )
    assert load(dump(config)) == config


def test_a_trailing_slash_of_the_public_address_is_dropped():
    assert load({}, data="/d", public_url="https://h.example/").base_url == "https://h.example"
