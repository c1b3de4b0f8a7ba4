"""Answers filters and orders with mongomock: batches of documents, filters and orders in; places of documents out."""

import datetime
import json
import re
import sys

import mongomock

TIME = re.compile(r"^\$\$DateTs\{(-?\d+)\}$")


def time(seconds):
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))


def typed(value):
    if isinstance(value, dict):
        if "@time" in value:
            return time(value["@time"])
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, str) and TIME.match(value):
        return time(TIME.match(value).group(1))
    return value


def answer(collection, query):
    try:
        return sorted(row["_id"] for row in collection.find(typed(query), {"_id": 1}))
    except Exception as error:  # The caller decides what an error means.
        return {"error": repr(error)}


client = mongomock.MongoClient()
for number, line in enumerate(sys.stdin):
    batch = json.loads(line)
    collection = client.db[f"batch{number}"]
    collection.insert_many([{"_id": i, "last": typed(last)} for i, last in enumerate(batch["documents"])])
    orders = [[row["_id"] for row in collection.find({}, {"_id": 1}).sort([("last." + key, direction) for key, direction in keys])] for keys in batch["orders"]]
    print(json.dumps({"filters": [answer(collection, query) for query in batch["filters"]], "orders": orders}))
