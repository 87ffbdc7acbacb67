<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** Class names that try to leave the class roots, or to be a burden. */
final class HostileNamesTest extends TestCase
{
    private const PREPARE = <<<'PHP'
        $outside = getenv('XDG_RUNTIME_DIR') . '/../outside/Secret';
        $names = [
            '', '_', '__', '\\', '\\\\Foo_Bar', '.', '..', '..\outside\Secret', '../outside/Secret', '.._outside_Secret',
            'Foo/../../outside/Secret', 'Foo\..\..\outside\Secret', 'Foo_.._.._outside_Secret', './Foo/Bar', '/Foo/Bar',
            $outside, str_replace('/', '\\', $outside), str_replace('/', '_', $outside), "file://{$outside}",
            "Foo_Bar\0", "\0Foo_Bar", "Foo\0_Bar", 'Foo_Bar.py', '.Foo_Bar', 'Foo\.hidden', '.hidden', 'Foo._Bar', ' Foo_Bar',
            "Foo_Bar\n", 'Foo Bar', 'Foo__Bar', '_Foo_Bar', 'Foo_Bar_', 'Foo\\\\Bar', 'Foo_1', '1', 'Foo-Bar', "Foo_\xff",
            "Foo_\u{202e}raB", 'class@anonymous', 'Foo_Folder', 'Foo_Pipe', "Foo_Bar'; print('x", '$(id)', '%s%n', '*', '~',
            str_repeat('A', 10_000), str_repeat('A_', 5_000) . 'A', str_repeat('A\\', 5_000) . 'A', str_repeat('../', 3_333),
            str_repeat("\0", 10_000), str_repeat('ä', 10_000),
        ];
        PHP;

    protected function setUp(): void
    {
        $sandbox = self::sandbox();
        $sandbox->writeClass('Foo/Bar.py', "class Foo_Bar: pass\n");
        $sandbox->write('outside/Secret.py', "class Secret: pass\n");
        $sandbox->writeClass('.hidden.py', "class hidden: pass\n");
        $sandbox->writeClass('Foo/.hidden.py', "class hidden: pass\n");
        $sandbox->writeClass('Foo_1.py', "class Foo_1: pass\n");
        mkdir("{$sandbox->classes}/Foo/Folder.py");
        posix_mkfifo("{$sandbox->classes}/Foo/Pipe.py", 0o600);
    }

    public function testNoneIsAClassAndNoneStartsAnything(): void
    {
        $facts = self::evaluate(self::PREPARE . <<<'PHP'
            $found = [];
            foreach ($names as $at => $name) {
                foreach ([
                    'class_exists' => class_exists($name),
                    'interface_exists' => interface_exists($name),
                    'is_a' => is_a($name, 'Tortoise\Remote', true),
                    'is_subclass_of' => is_subclass_of($name, 'Tortoise\Remote'),
                    'is_callable' => is_callable([$name, 'make']),
                ] as $question => $answer) {
                    if ($answer !== false) {
                        $found[] = [$question, substr($name, 0, 100)];
                    }
                }
            }
            $used = array_diff(scandir(getenv('XDG_RUNTIME_DIR')), ['.', '..']);
            return [count($names), $found, Tortoise\status()['connected'], $used];
            PHP);

        self::assertGreaterThan(50, $facts[0]);
        self::assertSame([[], false, []], \array_slice($facts, 1));
    }

    public function testNewSaysWhatPhpSays(): void
    {
        $facts = self::evaluate(self::PREPARE . <<<'PHP'
            $wrong = [];
            foreach ($names as $name) {
                try {
                    new $name();
                    $wrong[] = "made: {$name}";
                } catch (Error $error) {
                    if (get_class($error) !== 'Error' || !preg_match('/^Class ".*" not found$/s', $error->getMessage())) {
                        $wrong[] = base64_encode(substr($name, 0, 100));
                    }
                }
            }
            return [$wrong, Tortoise\status()['connected']];
            PHP);

        self::assertSame([[], false], $facts);
    }

    public function testTypeGivesAShortAndPrintableError(): void
    {
        $facts = self::evaluate(self::PREPARE . <<<'PHP'
            $wrong = [];
            foreach ($names as $name) {
                try {
                    Tortoise\type($name);
                    $wrong[] = $name;
                } catch (Tortoise\AccessException $error) {
                    $message = $error->getMessage();
                    $isPrintable = preg_match('/^[^\x00-\x1f\x7f]{1,300}$/u', $message);
                    if (!$isPrintable || !preg_match('/^there is no Python class |^\$class must be a text/', $message)) {
                        $wrong[] = base64_encode($message);
                    }
                }
            }
            return [$wrong, Tortoise\status()['connected']];
            PHP);

        self::assertSame([[], false], $facts);
    }

    public function testTheProcessIsWellAfterwards(): void
    {
        $facts = self::evaluate(self::PREPARE . <<<'PHP'
            array_map('class_exists', $names);
            $object = new Foo_Bar();
            array_map('class_exists', $names);
            return [get_class($object), Tortoise\status()['classes']];
            PHP);

        self::assertSame(['Foo_Bar', 1], $facts);
    }
}
