<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Raising;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** What is no Python exception comes from the PHP line that made the call, however the call was made. */
final class OwnErrorsTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{callable(Raising): mixed, class-string<\Throwable>}> */
    public static function errors(): iterable
    {
        $resource = fopen('php://memory', 'r');
        $conversion = \Tortoise\ConversionException::class;
        $access = \Tortoise\AccessException::class;
        $count = \ArgumentCountError::class;
        yield 'missing in a method' => [static fn(Raising $o) => $o->keep(), $count];
        yield 'missing in a static call' => [static fn(Raising $o) => Raising::of_class(1, 2), \Tortoise\Python\TypeError::class];
        yield 'an argument of a method' => [static fn(Raising $o) => $o->keep($resource), $conversion];
        yield 'an argument by name' => [static fn(Raising $o) => $o->keep(value: $resource), $conversion];
        yield 'an argument of a constructor' => [static fn(Raising $o) => new Raising($resource), $conversion];
        yield 'an argument of a function' => [static fn(Raising $o) => ($o->returned_class())($resource), $conversion];
        yield 'through array_map' => [static fn(Raising $o) => array_map([$o, 'keep'], [$resource]), $conversion];
        yield 'through call_user_func' => [static fn(Raising $o) => \call_user_func([$o, 'keep'], $resource), $conversion];
        yield 'through a closure' => [static fn(Raising $o) => $o->keep(...)($resource), $conversion];
        yield 'through reflection' => [static fn(Raising $o) => (new \ReflectionMethod($o, 'keep'))->invoke($o, $resource), $conversion];
        yield 'an answer that cannot cross' => [static fn(Raising $o) => $o->deep_list(), $conversion];
        yield 'an attribute that cannot cross' => [static function (Raising $o) use ($resource): void { $o->kept = $resource; }, $conversion];
        yield 'a private attribute' => [static fn(Raising $o) => $o->_private, $access];
        yield 'a private attribute written' => [static function (Raising $o): void { $o->_private = 1; }, $access];
        yield 'a second construction' => [static fn(Raising $o) => $o->__construct(), $access];
        yield 'an unknown class' => [static fn(Raising $o) => \Tortoise\type('There_Is_None'), $access];
        yield 'a root that is none' => [static fn(Raising $o) => register('/nowhere'), $access];
    }

    /**
     * @dataProvider errors
     * @param callable(Raising): mixed $use
     * @param class-string<\Throwable> $class
     */
    public function testItComesFromTheLineOfTheCall(callable $use, string $class): void
    {
        $raising = new Raising();
        try {
            $use($raising);
            self::fail('nothing was thrown');
        } catch (\Throwable $error) {
            self::assertSame($class, $error::class);
            self::assertSame(__FILE__, $error->getFile());
            self::assertSame((new \ReflectionFunction($use))->getStartLine(), $error->getLine());
            foreach ($error->getTrace() as $frame) {
                self::assertStringNotContainsString('Tortoise\Bridge', $frame['function']);
            }
        }
        self::assertSame(42, $raising->answer());
    }

    public function testSoDoTheErrorsOfALostSession(): void
    {
        $found = self::evaluate(<<<'PHP'
            $object = new Raising();
            $uses = [
                fn() => $object->vanish(),
                fn() => $object->answer(),
                fn() => $object->kept,
                fn() => $object->unknown(),
                fn() => isset($object->kept),
                fn() => (new Raising())->keep([$object]),
            ];
            $found = [];
            foreach ($uses as $use) {
                try {
                    $use();
                } catch (Tortoise\Exception $error) {
                    $line = (new ReflectionFunction($use))->getStartLine();
                    $found[] = [$error::class, $error->getFile() === __FILE__, $error->getLine() === $line];
                }
            }
            $found[] = (new Raising())->answer();
            return $found;
            PHP);
        $stale = ['Tortoise\StaleObjectException', true, true];
        self::assertSame([['Tortoise\ConnectionException', true, true], $stale, $stale, $stale, $stale, $stale, 42], $found);
    }

    public function testAnErrorInADestructorIsLogged(): void
    {
        $result = self::php(<<<'PHP'
            $object = (new Raising())->with_destructor();
            unset($object);
            echo (new Raising())->answer();
            PHP);
        self::assertSame('42', $result->cleanOutput());
        $log = self::sandbox()->log();
        self::assertStringContainsString('RuntimeError: failed in its last moment', $log);
        self::assertStringContainsString('__del__', $log);
        self::assertStringContainsString(__DIR__ . '/Raising.py', $log);
    }
}
