<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** Class roots: their order, and what `register`, `configure` and `type` do with them. */
final class RootsTest extends TestCase
{
    public function testRootsAreSearchedInTheirOrder(): void
    {
        [$first, $second] = self::roots();
        foreach (["{$first}:{$second}" => 'first', "{$second}:{$first}" => 'second', "/nowhere::{$second}" => 'second'] as $path => $root) {
            $facts = self::evaluate('return [Which_Root::NAME, (new Only_Second())->sibling()];', ['tortoise.path' => $path . ":{$second}"]);

            self::assertSame([$root, 'second'], $facts, $path);
        }
    }

    public function testALowerCaseFileOfAnEarlierRootComesBeforeALaterRoot(): void
    {
        [$first, $second] = self::roots();
        self::sandbox()->write('first/spelled/name.py', "class Name:\n    ROOT = 'first'\n");
        self::sandbox()->write('second/Spelled/Name.py', "class Name:\n    ROOT = 'second'\n");

        self::assertSame('first', self::evaluate('return Spelled_Name::ROOT;', ['tortoise.path' => "{$first}:{$second}"]));
    }

    public function testRegisterAddsARootBehindTheOthers(): void
    {
        [$first, $second] = self::roots();
        $facts = self::evaluate(<<<PHP
            \$before = class_exists('Only_Second');
            Tortoise\\register('{$second}');
            \$connected = Tortoise\\status()['connected'];
            \$name = Which_Root::NAME;
            \$found = class_exists('Only_Second');
            Tortoise\\register('{$second}');
            // The session is there already, and learns of the new root.
            Tortoise\\register('third');
            return [\$before, \$connected, \$name, \$found, class_exists('Only_Third')];
            PHP, ['tortoise.path' => $first]);

        self::assertSame([false, false, 'first', true, true], $facts);
    }

    public function testRegisterRefusesWhatIsNoFolder(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return array_map(function ($root) {
                try {
                    Tortoise\register($root);
                } catch (Throwable $error) {
                }
                return [get_class($error), $error->getMessage(), $error instanceof Tortoise\Exception];
            }, ['/nowhere', '', "/tmp\0", __FILE__]);
            PHP);

        foreach (['/nowhere', '', "/tmp\u{fffd}", ''] as $at => $shown) {
            self::assertSame('Tortoise\AccessException', $facts[$at][0]);
            self::assertStringContainsString("the class root {$shown}", $facts[$at][1]);
            self::assertStringContainsString('is not a folder', $facts[$at][1]);
            self::assertTrue($facts[$at][2]);
        }
    }

    public function testConfigureSetsIniSettingsBeforeTheFirstUse(): void
    {
        [$first] = self::roots();
        $facts = self::evaluate(<<<PHP
            class_exists('Which_Root') && die();
            Tortoise\\configure(['path' => '{$first}', 'timeout' => 5]);
            \$name = Which_Root::NAME;
            try {
                Tortoise\\configure(['timeout' => 6]);
            } catch (Tortoise\\AccessException \$late) {
            }
            return [\$name, \$late->getMessage()];
            PHP, ['tortoise.path' => '']);

        self::assertSame('first', $facts[0]);
        self::assertStringContainsString('before the first use of a Python class', $facts[1]);
    }

    public function testConfigureRefusesWhatItDoesNotKnow(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return array_map(function ($settings) {
                try {
                    Tortoise\configure($settings);
                } catch (Throwable $error) {
                    return [get_class($error), $error->getMessage()];
                }
            }, [['paht' => '/x'], ['tortoise.path' => '/x'], ['/x'], ['path' => ['/x']], '/x', ['timeout' => null]]);
            PHP);

        foreach (['paht', 'tortoise.path', '0'] as $at => $name) {
            self::assertSame('Tortoise\AccessException', $facts[$at][0]);
            self::assertStringContainsString("no setting \"{$name}\"; there are path, server", $facts[$at][1]);
        }
        self::assertSame(['Tortoise\AccessException', 'the setting "path" must be a text'], $facts[3]);
        self::assertSame('Tortoise\AccessException', $facts[4][0]);
        self::assertStringContainsString('must be an array', $facts[4][1]);
    }

    public function testTypeIsTheClassWithItsLiveAttributes(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $type = Tortoise\type('Live_Counter');
            $before = $type->made;
            new Live_Counter();
            $made = $type();
            $type->made += 10;
            return [
                $before, get_class($made), $made->made, Live_Counter::LIMIT, $type->LIMIT, $type->total(),
                get_class($type), $type === Tortoise\type('\Live_Counter'), $made->kind() === $type,
            ];
            PHP, classes: ['Live/Counter.py' => <<<'PYTHON'
            class Live_Counter:
                LIMIT = 3
                made = 0
                def __init__(self): type(self).made += 1
                def kind(self): return type(self)
                @classmethod
                def total(cls): return cls.made
            PYTHON]);

        self::assertSame([0, 'Live_Counter', 12, 3, 3, 12, 'Tortoise\PyObject', true, true], $facts);
    }

    public function testTypeRefusesWhatIsNoPythonClass(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return array_map(function ($name) {
                try {
                    Tortoise\type($name);
                } catch (Tortoise\AccessException $error) {
                    return $error->getMessage();
                }
            }, ['Foo_Nothing', 'stdClass', 'Tortoise\PyObject', '', 'Tortoise\Python\json\KeyError']);
            PHP);

        $reason = 'no class file of that name lies in the class roots';
        foreach (['Foo_Nothing', 'stdClass', 'Tortoise\PyObject', '', 'Tortoise\Python\json\KeyError'] as $at => $name) {
            self::assertSame("there is no Python class {$name}: {$reason}", $facts[$at]);
        }
    }

    public function testALinkOutOfTheRootIsRefusedAndALinkedRootIsNot(): void
    {
        [$first, $second] = self::roots();
        symlink($second, "{$first}/linked");
        symlink("{$first}/Which/Root.py", "{$first}/Inside.py");
        symlink($first, \dirname($first) . '/current');
        $facts = self::evaluate(<<<'PHP'
            try {
                new Linked_Only_Second();
            } catch (Tortoise\AccessException $error) {
            }
            return [$error->getMessage(), Which_Root::NAME, (new ReflectionClass('Which_Root'))->getFileName()];
            PHP, ['tortoise.path' => \dirname($first) . '/current']);

        self::assertStringContainsString('current/linked/only/second.py is a symbolic link out of the class root', $facts[0]);
        self::assertSame('first', $facts[1]);
        self::assertSame(\dirname($first) . '/current/Which/Root.py', $facts[2]);
    }

    /** @return array{string, string} two roots with one class file in common */
    private static function roots(): array
    {
        $sandbox = self::sandbox();
        foreach (['first', 'second'] as $root) {
            $sandbox->write("{$root}/Which/Root.py", "class Which_Root:\n    NAME = '{$root}'\n");
        }
        $sandbox->write('second/Only/Second.py', <<<'PYTHON'
            from Which.Sibling import NAME
            class Only_Second:
                def sibling(self): return NAME
            PYTHON);
        $sandbox->write('second/Which/Sibling.py', "NAME = 'second'\n");
        $sandbox->write('second/only/second.py', "class Second: pass\n");
        $sandbox->write('third/Only/Third.py', "class Third: pass\n");

        return [\dirname($sandbox->classes) . '/first', \dirname($sandbox->classes) . '/second'];
    }
}
