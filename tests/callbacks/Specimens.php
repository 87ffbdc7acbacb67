<?php

declare(strict_types=1);

namespace Tortoise\Tests\Callbacks;

/** What Python is given of PHP's: classes with each of PHP's protocols. */
final class Shelf implements \ArrayAccess, \Countable, \IteratorAggregate
{
    /** @param array<array-key, mixed> $items */
    public function __construct(public array $items = [])
    {
    }

    public function offsetExists(mixed $offset): bool
    {
        return array_key_exists($offset, $this->items);
    }

    public function offsetGet(mixed $offset): mixed
    {
        return $this->items[$offset] ?? throw new \OutOfRangeException("no {$offset}");
    }

    public function offsetSet(mixed $offset, mixed $value): void
    {
        if ($offset === null) {
            $this->items[] = $value;
        } else {
            $this->items[$offset] = $value;
        }
    }

    public function offsetUnset(mixed $offset): void
    {
        unset($this->items[$offset]);
    }

    public function count(): int
    {
        return count($this->items);
    }

    public function getIterator(): \Iterator
    {
        yield from $this->items;
    }
}

class Person
{
    public ?string $title = null;

    protected string $mood = 'calm';

    private string $secret = 'hidden';

    public function __construct(public string $name, public readonly int $age = 30)
    {
    }

    public function greet(string $greeting = 'Hello', string ...$others): string
    {
        return implode(' and ', ["{$greeting}, {$this->name}", ...array_map(
            static fn (int|string $key, string $other): string => is_int($key) ? $other : "{$key}={$other}",
            array_keys($others),
            $others,
        )]);
    }

    public static function species(): string
    {
        return 'human';
    }

    public function bump(int &$number): int
    {
        return ++$number;
    }

    public function me(): static
    {
        return $this;
    }

    protected function sulk(): string
    {
        return $this->mood;
    }

    private function whisper(): string
    {
        return $this->secret;
    }

    /** Runs inside of the class, where PHP could see all of it. */
    public function askPython(object $caller, string $method, mixed ...$arguments): mixed
    {
        return $caller->{$method}($this, ...$arguments);
    }

    public function touchAll(): string
    {
        return $this->whisper() . $this->sulk();
    }
}

final class Magic
{
    /** @var array<string, mixed> */
    public array $data = ['known' => 1];

    public function __get(string $name): mixed
    {
        return $this->data[$name] ?? "no {$name}";
    }

    public function __set(string $name, mixed $value): void
    {
        $this->data[$name] = $value;
    }

    public function __isset(string $name): bool
    {
        return isset($this->data[$name]);
    }

    public function __unset(string $name): void
    {
        unset($this->data[$name]);
    }

    public function __toString(): string
    {
        return 'magic text';
    }

    public function __invoke(int $number): int
    {
        return 2 * $number;
    }
}

final class MagicCalls
{
    /** @param array<array-key, mixed> $arguments */
    public function __call(string $name, array $arguments): mixed
    {
        return [$name, $arguments];
    }
}

final class Dying
{
    /** @var list<string> */
    public static array $deaths = [];

    public function __construct(private string $name)
    {
    }

    public function __destruct()
    {
        self::$deaths[] = $this->name;
    }
}
