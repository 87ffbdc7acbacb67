<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\TestCase;

/** The end of a script, however it comes: no crash, no call when it is too late, and the session's objects go. */
final class ShutdownTest extends TestCase
{
    private string $log;

    protected function setUp(): void
    {
        $this->log = self::sandbox()->write('notes.log', '');
    }

    /** @dataProvider endings */
    public function testHoweverTheScriptEndsTheSessionLetsGo(string $code, int $exitCode, string $errors): void
    {
        $php = self::startPhp(
            "\$log = {$this->exportedLog()}; \$o = new Life_Thing('kept', \$log); echo \$o->pid(), \"\\n\"; {$code}",
            ['memory_limit' => '16M'],
        );
        $session = (int) $php->readLine();
        $result = $php->wait();
        self::assertSame($exitCode, $result->exitCode, (string) $result);
        self::assertStringContainsString($errors, $result->errors);
        Processes::awaitEnd($session);
        self::assertStringContainsString("released kept\n", (string) file_get_contents($this->log));
    }

    /** @return array<string, array{string, int, string}> */
    public static function endings(): array
    {
        return [
            'its end' => ['', 0, ''],
            'exit' => ['exit(3);', 3, ''],
            'exit in a function' => ['(function () use ($o) { $o->pid(); exit(3); })();', 3, ''],
            'exit in a destructor' => ['class D { function __destruct() { exit(4); } } $d = new D(); $d->o = $o;', 4, ''],
            'die in a shutdown function' => ['register_shutdown_function(function () use ($o) { $o->pid(); exit(5); });', 5, ''],
            'an exception' => ['throw new Exception("thrown");', 255, 'Uncaught Exception: thrown'],
            'a Python exception' => ['$o->note();', 255, 'Uncaught ArgumentCountError'],
            'an exception in a destructor' => ['class D { public $o; function __destruct() { $this->o->missing(); } } $d = new D(); $d->o = $o;', 255, 'Call to undefined method'],
            'a fatal error' => ['$a = []; while (true) { $a[] = [$o, str_repeat("x", 1000)]; }', 255, 'Allowed memory size'],
            'a fatal error in arguments' => ['(fn(...$x) => 1)(...(function () use ($o) { while (true) yield str_repeat("x", 10000); })());', 255, 'Allowed memory size'],
            'a compile error' => ['class Bad extends Life_Thing { function note(string $a, $b) {} }', 255, 'must be compatible'],
            'a signal' => ['pcntl_signal(SIGTERM, SIG_DFL); pcntl_async_signals(false); $me = getmypid(); exec("kill -9 $me"); fgets(STDIN);', 137, ''],
        ];
    }

    public function testDestructorsAtTheEndCanStillCallPython(): void
    {
        $result = self::php(<<<PHP
            class Last
            {
                public \$me;
                public function __construct(private string \$name, private Life_Thing \$thing) { \$this->me = \$this; }
                public function __destruct()
                {
                    \$this->thing->note("destructor of {\$this->name}, {\$this->thing->name}");
                    (new Life_Thing('new in a destructor', {$this->exportedLog()}))->note('made late');
                }
            }
            \$GLOBALS['global'] = new Last('a global', new Life_Thing('first', {$this->exportedLog()}));
            (function () { static \$kept; \$kept = new Last('a static', new Life_Thing('second', {$this->exportedLog()})); })();
            new Last('a cycle', new Life_Thing('third', {$this->exportedLog()}));
            register_shutdown_function(fn() => (new Life_Thing('f', {$this->exportedLog()}))->note('a shutdown function'));
            ob_start(function (\$text) { (new Life_Thing('b', {$this->exportedLog()}))->note("a buffer of \$text"); return ''; });
            echo 'text';
            PHP);
        self::assertSame('', $result->cleanOutput());
        $log = (string) file_get_contents($this->log);
        foreach (['of a global, first', 'of a static, second', 'of a cycle, third'] as $destructor) {
            self::assertStringContainsString("destructor {$destructor}\n", $log);
        }
        self::assertStringContainsString("a shutdown function\n", $log);
        self::assertStringContainsString("a buffer of text\n", $log);
        self::assertSame(3, substr_count($log, "made late\n"));
    }

    /** What PHP frees after the request has ended is not spoken of any more. */
    public function testNothingIsSentWhenTheRequestIsOver(): void
    {
        // 3,000 objects are more than are released without a frame of their own.
        $result = self::php(<<<PHP
            class Cycle { public \$me; public \$thing; }
            for (\$i = 0; \$i < 3000; \$i++) {
                \$c = new Cycle(); \$c->me = \$c; \$c->thing = new Life_Thing("\$i");
            }
            gc_disable();
            \$last = new Life_Thing('last', {$this->exportedLog()});
            echo Life_Thing::living() > 2000 ? 'many' : 'few';
            PHP, ['zend.enable_gc' => '0']);
        self::assertSame('many', $result->cleanOutput());
        self::assertStringNotContainsString('python:', self::sandbox()->log());
        self::assertStringNotContainsString('was closed', self::sandbox()->log());
    }

    public function testReleasesAreSentWhenPhpLetsGo(): void
    {
        $result = self::php(<<<PHP
            \$o = new Life_Thing('first', {$this->exportedLog()});
            \$same = \$o;
            unset(\$o);
            echo Life_Thing::living();
            unset(\$same);
            echo Life_Thing::living();
            \$o = new Life_Thing('second');
            \$o = new Life_Thing('third');
            echo Life_Thing::living();
            \$o = null;
            for (\$i = 0; \$i < 5000; \$i++) { new Life_Thing("\$i"); }
            echo Life_Thing::living();
            PHP);
        self::assertSame('1010', $result->cleanOutput());
        self::assertStringContainsString("released first\n", (string) file_get_contents($this->log));
    }

    public function testObjectsMadeAfterAFatalErrorInAShutdownFunction(): void
    {
        $result = self::php(
            'register_shutdown_function(function () { $o = new Life_Thing(); echo $o->name; });'
            . '$o = new Life_Thing(); $a = []; while (true) { $a[] = str_repeat("x", 100000); }',
            ['memory_limit' => '16M'],
        );
        self::assertSame(255, $result->exitCode);
        self::assertSame('thing', $result->output);
    }

    private function exportedLog(): string
    {
        return var_export($this->log, true);
    }
}
