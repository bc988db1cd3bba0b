"""An interpreter's usual work: integers, dictionaries, strings, method calls, sorting, JSON."""
import hashlib
import json


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def add(self, other):
        return Vector(self.x + other.x, self.y ^ other.y)


def primes(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, int(limit**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, limit, i)))
    return [i for i in range(2, limit) if sieve[i]]


def collatz(limit):
    best = (0, 0)
    for start in range(1, limit):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        best = max(best, (steps, start))
    return best


total = Vector(0, 0)
for i in range(60000):
    total = total.add(Vector(i, i * 7))
counts = {}
for word in ("the quick brown fox jumps over the lazy dog " * 3000).split():
    counts[word] = counts.get(word, 0) + len(word)
text = json.dumps([{"id": i, "name": f"item {i}", "tags": [str(i % 7), "x"]} for i in range(4000)])
data = sorted(json.loads(text), key=lambda item: (item["tags"], -item["id"]))
print(total.x, total.y, len(primes(200000)), collatz(9000), sorted(counts.items())[0], data[0]["id"])
print(hashlib.sha256(text.encode()).hexdigest())
