<?php

declare(strict_types=1);

namespace Tortoise\Tests\Memory;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** The end of a request frees all that it held, also what PHP could not free before; the session serves the next one. */
final class RequestEndTest extends TestCase
{
    public function testAllObjectsOfARequestGoWithIt(): void
    {
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            if (($_GET['make'] ?? '') !== '') {
                class Holder { public static array $all = []; public $self; public function __construct(public $object) { $this->self = $this; } }
                $cycle = [new Fleeting('in an array')];
                $cycle[] = &$cycle;
                Holder::$all[] = new Holder(new Fleeting('static'));
                new Holder(new Fleeting('in an object'));
                $GLOBALS['kept'] = (new Fleeting('global'))->several(1000);
                $error = null;
                try { (new Fleeting('thrower'))->fail(); } catch (Throwable $error) {}
                unset($cycle);
                if ($_GET['make'] === 'fatal') {
                    nobody_has_this_function();
                }
                if ($_GET['make'] === 'exit') {
                    exit('left');
                }
            }
            echo Fleeting::alive(), ' ', Tortoise\status()['session'], ' ', Tortoise\status()['objects'];
            PHP, ['tortoise.path' => __DIR__]);
        [$none, $session] = explode(' ', $server->get());
        self::assertSame('0', $none);
        foreach (['plain' => '/^1005 \d+ \d+$/', 'fatal' => '/undefined function/', 'exit' => '/^left$/'] as $make => $expected) {
            self::assertMatchesRegularExpression($expected, $server->get("make={$make}"));
            self::assertSame("0 {$session} 0", $server->get(), "after {$make}");
        }
    }

    public function testWhatPythonKeepsOutlivesTheRequest(): void
    {
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            $class = Tortoise\type('Fleeting');
            if ($_GET['keep'] ?? '') {
                $class->kept = new Fleeting($_GET['keep']);
            }
            echo $class->kept->name ?? 'nothing';
            PHP, ['tortoise.path' => __DIR__]);
        self::assertSame('nothing', $server->get());
        self::assertSame('x', $server->get('keep=x'));
        self::assertSame('x', $server->get());
        self::assertSame('y', $server->get('keep=y'));
        self::assertSame('y', $server->get());
    }
}
