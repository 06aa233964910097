"""The starter translator: the domain's sentences between English and the other four languages.

One small transformer for all eight directions, told by a first token such as `>>tl<<`, in the
layout of OPUS-MT, so that the pivot by a translation model runs where nothing can be downloaded.
"""
