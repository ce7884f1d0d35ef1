"""For JupyterHub: a store of their own for each user's notebooks, and one server for all agents."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub gives it

c.Spawner.environment = {"THREADKEEP_URL": "sqlite:///threadkeep.db"}
c.JupyterHub.services = [
    {
        "name": "threadkeep",
        "command": ["threadkeep", "serve", "--keys", "/etc/threadkeep/keys.jsonl"],
        "environment": {"THREADKEEP_URL": "postgresql://threadkeep@db/chats"},
        "user": "threadkeep",
    }
]
