"""The REST door: OpenAI's audio, chat and model resources, and one spoken turn per request.

A resource is a few `Operation`s: its routes, its parsers and the OpenAPI document come from the
same dataclasses (`schema`). What comes in passes the `door` first, which knows keys, origins, how
many may be in, and how an error looks. Every engine job of this package has the lowest priority.
"""
