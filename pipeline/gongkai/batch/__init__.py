"""Runs over archives: shards of inputs, worker processes, results that are committed shard by shard.

The way of an input: `inputs` finds it, `shards` cuts what is found into numbered shards, `workspace` keeps what a
resumed run must know, `pool` gives shards to processes, `worker` is what they do, `assemble` makes one result
of the results of all shards. `gongkai.run.run` ties them together.
"""
