"""A strict stand-in for Slack that speaks to the bot over the wire only.

Web API, Events API, interactivity, response URLs, files and Socket Mode.

`SlackStandIn` (standin) is the workspace with a person's hands and eyes; `serve` (server) puts it on a loopback port.
"""
