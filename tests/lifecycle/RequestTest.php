<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Several requests in one PHP process: one session serves them, objects end with each, modules stay. */
final class RequestTest extends TestCase
{
    private const SCRIPT = Script::ATTEMPT . 'parse_str((string) $_SERVER["QUERY_STRING"], $query); eval($query["code"]);';

    private HttpServer $server;

    public function testOneSessionServesAllRequestsAndModulesStay(): void
    {
        $this->serve();
        $first = $this->request('$o = new Life_Thing("a"); attempt(fn() => [$o->pid(), $o->made(), Life_Thing::living()]);');
        [$session, $made, $living] = self::value($first);
        self::assertSame([1, 1], [$made, $living]);
        for ($request = 2; $request < 5; $request++) {
            $next = $this->request('$o = new Life_Thing("a"); $GLOBALS["kept"] = $o; attempt(fn() => [$o->pid(), $o->made(), Life_Thing::living()]);');
            self::assertSame([$session, $request, 1], self::value($next), 'objects of earlier requests are gone');
        }
    }

    /** @dataProvider waysToKeep */
    public function testWhateverHeldThemObjectsEndWithTheRequest(string $keep): void
    {
        $this->serve();
        $declare = 'class Holder { public static $kept; public $me; public $thing; function __destruct() { } }'
            . 'function &kept() { static $kept = []; return $kept; }';
        $code = "{$declare} (function () { \$o = new Life_Thing('kept'); {$keep} })(); attempt(fn() => Life_Thing::living());";
        for ($request = 0; $request < 3; $request++) {
            self::assertSame("value: 1\n", $this->request($code));
        }
        self::assertSame("value: 0\n", $this->request('attempt(fn() => Life_Thing::living());'));
    }

    /** @return array<string, array{string}> */
    public static function waysToKeep(): array
    {
        return [
            'a global' => ['$GLOBALS["kept"] = $o;'],
            'a static property' => ['Holder::$kept = [$o];'],
            'a static variable' => ['kept()[] = $o;'],
            'a cycle' => ['$h = new Holder(); $h->me = $h; $h->thing = $o;'],
            'a cycle with a destructor that is never called' => ['$h = new Holder(); $h->me = [&$h]; $h->thing = $o; $GLOBALS["h"] = $h;'],
            'a closure' => ['$GLOBALS["f"] = fn() => $o->pid();'],
            'a bound method' => ['$GLOBALS["f"] = $o->pid(...);'],
            'a generator that is not over' => ['$g = (function () use ($o) { yield 1; yield $o; })(); $g->current(); $GLOBALS["g"] = $g;'],
            'a shutdown function' => ['register_shutdown_function(function () use ($o) { $GLOBALS["x"] = $o; $o->pid(); });'],
            'an output buffer' => ['ob_start(function ($text) use ($o) { return $text . ($o->pid() ? "" : "x"); });'],
            'an exception that is not thrown' => ['$GLOBALS["e"] = new RuntimeException("x", 0, null); $GLOBALS["p"] = [$GLOBALS["e"], $o];'],
            'a WeakMap' => ['$GLOBALS["map"] = new WeakMap(); $GLOBALS["map"][$o] = $o; $GLOBALS["also"] = $o;'],
            'an ArrayObject' => ['$GLOBALS["a"] = new ArrayObject([$o]);'],
        ];
    }

    public function testASessionHandlerThatUsesPythonWorks(): void
    {
        $folder = self::sandbox()->path('sessions');
        mkdir($folder);
        $this->serve(['session.save_path' => $folder, 'session.use_cookies' => '0', 'session.use_strict_mode' => '0']);
        $code = <<<'PHP'
            class Handler extends SessionHandler
            {
                public function write(string $id, string $data): bool
                {
                    // PHP writes the session when the script is over.
                    return parent::write($id, $data . 'pid|i:' . (new Life_Thing())->pid() . ';');
                }
            }
            session_set_save_handler(new Handler());
            session_id('fixed');
            session_start();
            echo json_encode($_SESSION['pid'] ?? null), ' ', json_encode((new Life_Thing())->pid());
            $_SESSION = ['x' => 1];
            PHP;
        [, $session] = explode(' ', $this->request($code));
        self::assertSame("{$session} {$session}", $this->request($code));
    }

    public function testClassesAreDeclaredAnewInEachRequest(): void
    {
        $this->serve();
        $code = 'attempt(fn() => class_exists("Life_Thing", false));'
            . 'attempt(fn() => (new ReflectionMethod("Life_Thing", "note"))->getParameters()[0]->getName());';
        for ($request = 0; $request < 3; $request++) {
            self::assertSame("value: false\nvalue: \"line\"\n", $this->request($code));
        }
    }

    /** A class is what the session runs: an edited file counts when the session is a new one. */
    public function testAnEditedFileIsTheNewClassInTheNextSession(): void
    {
        $this->serve(['tortoise.server' => (new Sidecar(self::sandbox()))->address]);
        $file = self::sandbox()->writeClass('Edited.py', "import os\nclass Edited:\n    X = 1\n    def old(self): return os.getpid()\n");
        $code = 'attempt(fn() => (new Edited())->old());'
            . 'attempt(fn() => [method_exists("Edited", "old"), method_exists("Edited", "new"), Edited::X]);';
        [$pid, $facts] = explode("\n", $this->request($code));
        self::assertSame('value: [true,false,1]', $facts);
        file_put_contents($file, "import os\nclass Edited:\n    X = 2\n    def new(self): return os.getpid()\n");
        self::assertStringContainsString('value: [true,false,1]', $this->request($code), 'the session has the module');
        Processes::kill(self::value($pid));
        self::assertStringContainsString('value: [false,true,2]', $this->request($code));
        self::assertStringContainsString('value: [false,true,2]', $this->request($code));
    }

    public function testAKilledSessionIsAConnectionExceptionInOneRequestAndNothingInTheNext(): void
    {
        $this->serve();
        $session = self::value($this->request('$o = new Life_Thing(); attempt(fn() => $o->pid());'));
        Processes::kill($session);
        $after = $this->request('$o = new Life_Thing(); attempt(fn() => $o->pid());');
        self::assertNotSame($session, self::value($after), 'between two requests nobody notices');
        self::assertSame($after, $this->request('$o = new Life_Thing(); attempt(fn() => $o->pid());'));
    }

    public function testPathIsASettingOfARequest(): void
    {
        $this->serve();
        $other = self::sandbox()->path('other');
        self::sandbox()->write('other/Only/Here.py', "class Only_Here:\n    x = 1\n");
        $set = 'ini_set("tortoise.path", ' . var_export($other, true) . ');';
        $register = 'Tortoise\register(' . var_export($other, true) . ');';
        $exist = 'attempt(fn() => [class_exists("Only_Here"), class_exists("Life_Thing")]);';
        self::assertSame("value: [false,true]\n", $this->request($exist));
        self::assertSame("value: [true,false]\n", $this->request("{$set} {$exist}"));
        self::assertSame("value: [false,true]\n", $this->request($exist));
        self::assertSame("value: [true,true]\n", $this->request("{$register} {$exist}"));
        self::assertSame("value: [false,true]\n", $this->request($exist));
    }

    /** What a bootstrap file does in every request. */
    public function testConfigureIsForOneRequestAndMayComeInEach(): void
    {
        $this->serve(['tortoise.path' => '']);
        $configure = '(function () { Tortoise\configure(["path" => ' . var_export(__DIR__, true) . ', "timeout" => 30]); })();';
        for ($request = 0; $request < 3; $request++) {
            self::assertSame("value: \"thing\"\n", $this->request("{$configure} attempt(fn() => (new Life_Thing())->name);"));
        }
        $late = $this->request("{$configure} new Life_Thing(); attempt(fn() => Tortoise\\configure(['timeout' => 1]));");
        self::assertStringStartsWith('Tortoise\AccessException: ', $late);
        self::assertSame("value: false\n", $this->request('attempt(fn() => class_exists("Life_Thing"));'));
    }

    public function testAnotherServerIsFollowedByTheNextRequest(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $this->serve();
        $server = '$server = fn() => Tortoise\status()["server"];';
        $code = "{$server} new Life_Thing(); attempt(\$server);";
        $own = $this->request($code);
        self::assertStringContainsString('.sock', $own);
        $set = 'ini_set("tortoise.server", ' . var_export($sidecar->address, true) . ');';
        self::assertSame($sidecar->address, self::value($this->request("{$set} {$code}")));
        self::assertSame($own, $this->request($code));
        // In the middle of a request its objects would be lost.
        self::assertSame($own, $this->request("new Life_Thing(); {$set} {$code}"));
        self::assertSame($own, $this->request($code));
    }

    public function testAFatalErrorEndsTheRequestAndNotTheSession(): void
    {
        $this->serve(['memory_limit' => '16M']);
        $code = '$o = new Life_Thing("lost"); $GLOBALS["o"] = $o; attempt(fn() => $o->pid());';
        $alive = 'attempt(fn() => (new Life_Thing())->pid()); attempt(fn() => Life_Thing::living());';
        $session = self::value($this->request($code));
        foreach ([
            'exit(1);' => '',
            'die("dead");' => 'dead',
            'throw new RuntimeException("thrown");' => 'Uncaught RuntimeException: thrown',
            'throw $o->nothing_there;' => 'Uncaught',
            'missing_function();' => 'undefined function',
            '$a = []; while (true) { $a[] = [$o, str_repeat("x", 1000)]; }' => 'Allowed memory size',
            'function f() { f(); } ini_set("memory_limit", "8M"); f();' => 'Allowed memory size',
            'trigger_error("on purpose", E_USER_ERROR);' => 'on purpose',
            'class Bad extends Life_Thing { function note(string $a, string $b, string $c) {} } ' => 'must be compatible',
            'set_time_limit(1); while (true) {}' => 'Maximum execution time',
        ] as $end => $message) {
            $output = $this->request("{$code} {$end}");
            self::assertStringContainsString($message, $output, $end);
            self::assertSame("value: {$session}\nvalue: 0\n", $this->request($alive), $end);
        }
    }

    /** @param array<string, string> $ini */
    private function serve(array $ini = []): void
    {
        $ini += ['tortoise.path' => self::sandbox()->classes . \PATH_SEPARATOR . __DIR__];
        $this->server = new HttpServer(self::sandbox(), self::SCRIPT, $ini);
    }

    private function request(string $code): string
    {
        return $this->server->get(http_build_query(['code' => $code]));
    }

    private static function value(string $line): mixed
    {
        self::assertStringStartsWith('value: ', $line);

        return json_decode(substr($line, \strlen('value: ')), true, 512, \JSON_THROW_ON_ERROR);
    }
}
