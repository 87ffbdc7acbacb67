<?php

declare(strict_types=1);

namespace Tortoise\Tests\Modules;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** Which modules PHP may use, however it came by them. */
final class GateTest extends TestCase
{
    /** Every way to a module that is not open. */
    private const WAYS = [
        '$reach->held', '$reach->own', '$reach->property', '$reach->returned()', '$reach->listed()[0]', 'Reach::static()', '$class->held', '$mine->os',
        'Tortoise\import("greet")->module()', 'Tortoise\call("greet", "module")',
    ];

    private const BEGIN = Script::ATTEMPT . '$reach = new Reach(); $class = Tortoise\type("Reach"); $mine = $reach->mine();' . "\n";

    /** @dataProvider ways */
    public function testAModuleThatIsNotOpenCannotBeUsed(string $way): void
    {
        $output = self::php(self::BEGIN . "\$module = {$way};\n" . <<<'PHP'
            attempt(fn() => $module->getcwd());
            attempt(fn() => $module->sep);
            attempt(function () use ($module) { $module->sep = '+'; });
            attempt(function () use ($module) { $module->extra = '+'; });
            attempt(function () use ($module) { unset($module->sep); });
            attempt(fn() => Tortoise\with($module, fn() => 1));
            attempt(fn() => [isset($module->sep), $module->sep ?? 'default', property_exists($module, 'sep'), empty($module->sep)]);
            attempt(fn() => [$module::class, $reach->is_os($module), $module === $reach->own, $reach->is_unchanged()]);
            PHP)->cleanOutput();
        $lines = explode("\n", trim($output));

        self::assertCount(8, $lines, $output);
        foreach (\array_slice($lines, 0, 6) as $line) {
            self::assertSame(
                "Tortoise\\AccessException: the Python module 'os' is not open to PHP: tortoise.modules in PHP's settings lists nothing; add 'os' to it "
                . 'if PHP may use all that is in there',
                $line,
            );
        }
        self::assertSame('value: [false,"default",false,true]', $lines[6]);
        self::assertSame('value: ["Tortoise\\\\PyObject",true,true,true]', $lines[7]);
    }

    /** @return iterable<string, array{string}> */
    public static function ways(): iterable
    {
        foreach (self::WAYS as $way) {
            yield $way => [$way];
        }
    }

    public function testOddModulesAreModules(): void
    {
        $output = self::php(self::BEGIN . <<<'PHP'
            foreach (['aliased', 'made', 'nameless', 'lazy'] as $way) {
                attempt(fn() => $reach->$way()->join('a', 'b'));
            }
            attempt(fn() => $mine->LARGEST ?? get_class($mine->Reach()));
            PHP)->cleanOutput();
        $lines = explode("\n", $output);

        foreach (['posixpath', 'made', '?', 'lazy'] as $at => $name) {
            self::assertStringStartsWith("Tortoise\\AccessException: the Python module '{$name}' is not open to PHP: ", $lines[$at]);
        }
        self::assertSame('value: "Reach"', $lines[4]);
    }

    /**
     * @dataProvider patterns
     *
     * @param list<string> $open
     * @param list<string> $refused
     */
    public function testPatterns(string $patterns, array $open, array $refused): void
    {
        $code = 'foreach (' . var_export([...$open, ...$refused], true) . ' as $name) {'
            . 'try { $m = Tortoise\import($name); $m->absent ?? 0; method_exists($m, "x"); echo "+"; } catch (Tortoise\AccessException) { echo "-"; } }';
        $output = self::php($code, ['tortoise.modules' => $patterns])->cleanOutput();
        self::assertSame(str_repeat('+', \count($open)) . str_repeat('-', \count($refused)), $output);
    }

    /** @return iterable<string, array{string, list<string>, list<string>}> */
    public static function patterns(): iterable
    {
        yield 'a package is open with what lies below it' => ['xml', ['xml', 'xml.dom', 'xml.dom.minidom'], ['xmlrpc', 'os']];
        yield 'what lies below alone' => ['xml.*', ['xml.dom', 'xml.dom.minidom'], ['xml', 'xmlrpc.client']];
        yield 'a module below alone' => ['xml.dom', ['xml.dom', 'xml.dom.minidom'], ['xml', 'xml.sax']];
        yield 'everything' => ['*', ['os', 'xml.dom', 'sys'], []];
        yield 'stars, marks and sets' => ['html* stat?stics [dm]a??', ['html.parser', 'statistics', 'math'], ['htm', 'stat', 'zlib']];
        yield 'several, with commas and blanks' => ['math, os json,re', ['math', 'os', 'json', 're', 'os.path'], ['sys']];
        yield 'case counts' => ['MATH', [], ['math']];
        yield 'a dot is a dot' => ['xml.dom', [], ['xmlXdom']];
    }

    public function testAnAliasIsOpenWithThePackageThatHasIt(): void
    {
        $code = self::BEGIN . 'attempt(fn() => $reach->aliased()->join("a", "b")); attempt(fn() => $reach->own->sep); attempt(fn() => $reach->own->path->sep);';
        self::assertSame("value: \"a\\/b\"\nvalue: \"\\/\"\nvalue: \"\\/\"\n", self::php($code, ['tortoise.modules' => 'os'])->cleanOutput());
        $output = self::php($code, ['tortoise.modules' => 'os.path'])->cleanOutput();
        self::assertMatchesRegularExpression('~^value: "a\\\\/b"\n.*\'os\' is not open.*\n.*\'os\' is not open.*\n$~', $output);
    }

    public function testConfigureOpensForTheRequest(): void
    {
        $code = 'Tortoise\configure(["modules" => "math"]); echo Tortoise\import("math")->sqrt(4);';
        self::assertSame('2', self::php($code)->cleanOutput());
    }

    public function testTheSidecarsPatternsDecide(): void
    {
        $sidecar = new Sidecar(self::sandbox(), ['--modules', 'math,xml'], __DIR__);
        $code = self::BEGIN . 'foreach (["math", "xml.dom.minidom", "xml.sax", "os"] as $name) { attempt(fn() => Tortoise\import($name)::class); } '
            . 'attempt(fn() => $reach->own->sep);';
        $open = 'value: "Tortoise\\\\PyObject"';
        $named = static fn(string $name, string $where, string $lists, string $package): string => "Tortoise\\AccessException: the Python module '{$name}' is not open "
            . "to PHP: {$where} lists {$lists}; add '{$package}' to it if PHP may use all that is in there";
        $sidecars = "`modules` in the sidecar's settings (tortoise.toml, or --modules)";
        $phps = "tortoise.modules in PHP's settings, which only narrows what the sidecar lets in,";
        $os = $named('os', $sidecars, "'math', 'xml'", 'os');

        $expected = [
            '' => [$open, $open, $open, $os, $os],
            'xml.dom, os' => [$named('math', $phps, "'xml.dom', 'os'", 'math'), $open, $named('xml.sax', $phps, "'xml.dom', 'os'", 'xml'), $os, $os],
            '*' => [$open, $open, $open, $os, $os],
        ];
        foreach ($expected as $narrowed => $lines) {
            $output = self::php($code, ['tortoise.server' => $sidecar->address, 'tortoise.modules' => $narrowed])->cleanOutput();
            self::assertSame($lines, explode("\n", trim($output)), "tortoise.modules = {$narrowed}");
        }
    }

    public function testASidecarWithoutPatternsOpensOnlyItsRoots(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $code = self::BEGIN . 'attempt(fn() => Tortoise\import("math")); attempt(fn() => Tortoise\call("greet", "hello")); attempt(fn() => Tortoise\import("greet")->answer);';
        $output = self::php($code, ['tortoise.server' => $sidecar->address, 'tortoise.modules' => '*'])->cleanOutput();
        self::assertMatchesRegularExpression("~^Tortoise.AccessException: .*`modules` in the sidecar's settings.* lists nothing;.*\nvalue: \"hello world\"\nvalue: 42\n$~", $output);
    }

    /** A virtual environment in a class root does not make its packages modules of the root. */
    public function testPackagesOfAVirtualEnvironmentInARootAreNotTheRoots(): void
    {
        $output = self::php(Script::ATTEMPT . 'attempt(fn() => Tortoise\call("user", "package")->answer);', classes: [
            'venv/lib/python3.11/site-packages/thing.py' => "answer = 1\n",
            'user.py' => <<<'PYTHON'
                import os, sys
                sys.path.insert(0, os.path.join(os.path.dirname(__file__), "venv/lib/python3.11/site-packages"))
                import thing
                def package(): return thing
                PYTHON,
        ])->cleanOutput();
        self::assertStringStartsWith("Tortoise\\AccessException: the Python module 'thing' is not open to PHP", $output);
    }

    public function testAFolderOfARootIsTheRoots(): void
    {
        $output = self::php('echo Tortoise\call("user", "folder")->part->answer;', classes: [
            'folder/part.py' => "answer = 7\n",
            'user.py' => "import folder.part\ndef folder_(): return folder\nglobals()['folder'], here = folder_, folder\ndef folder(): return here\n",
        ])->cleanOutput();
        self::assertSame('7', $output);
    }
}
