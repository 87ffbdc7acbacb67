<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** Who is asked for a class, and when nobody needs to ask Python. */
final class OrderTest extends TestCase
{
    public function testADeclaredPhpClassWins(): void
    {
        $facts = self::evaluate(<<<'PHP'
            eval('class Foo_Bar { function twice() { return "php"; } }');
            return [(new Foo_Bar())->twice(), (new Foo_Bar()) instanceof Tortoise\Remote, Tortoise\status()['connected']];
            PHP);

        self::assertSame(['php', false, false], $facts);
    }

    public function testAPhpAutoloaderWins(): void
    {
        $facts = self::evaluate(<<<'PHP'
            spl_autoload_register(function ($name) {
                if ($name === 'Foo_Bar') {
                    eval('class Foo_Bar { function twice() { return "php"; } }');
                }
            });
            return [(new Foo_Bar())->twice(), Tortoise\status()['connected']];
            PHP);

        self::assertSame(['php', false], $facts);
    }

    public function testPythonIsAskedAfterEveryAutoloaderWheneverItWasRegistered(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $asked = new ArrayObject();
            $loader = fn ($which) => function ($name) use ($which, $asked) {
                $asked[] = "{$which} {$name} " . Tortoise\status()['classes'];
            };
            spl_autoload_register($loader('early'));
            new Foo_Bar();
            spl_autoload_register($loader('late'));
            spl_autoload_register($loader('first'), prepend: true);
            new Held_Account();
            return $asked->getArrayCopy();
            PHP);

        // Once the class is there, PHP is asked for the other spelling of its name too, which becomes an alias.
        self::assertSame([
            'early Foo_Bar 0', 'early Foo\Bar 1',
            'first Held_Account 1', 'early Held_Account 1', 'late Held_Account 1',
            'first Held\Account 2', 'early Held\Account 2', 'late Held\Account 2',
        ], $facts);
    }

    /** An autoloader may want the very class from us that it is asked for, as one of a framework does that decides who is first. */
    public function testAnAutoloaderMayAskForTheClassItself(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $asked = 0;
            spl_autoload_register(function ($name) use (&$asked) {
                $asked++;
                if ($name === 'Foo_Bar') {
                    Tortoise\type($name);
                }
            });
            return [(new Foo_Bar(4))->twice(), $asked, get_class(new Foo_Bar())];
            PHP);

        // For itself, from within, and for the other spelling of the name.
        self::assertSame([8, 3, 'Foo_Bar'], $facts);
    }

    /** A class that comes with an object takes no name that PHP has, even if PHP has not loaded it yet. */
    public function testAPhpAutoloaderWinsOverTheClassOfAnObject(): void
    {
        $facts = self::evaluate(<<<'PHP'
            spl_autoload_register(function ($name) {
                match ($name) {
                    'Zoo_Animal' => eval('class Zoo_Animal { const IS = "php"; }'),
                    'Zoo\Keeper' => eval('namespace Zoo; class Keeper { const IS = "php"; }'),
                    default => null,
                };
            });
            $keeper = new Zoo_Keeper();
            $animal = $keeper->animal();
            return [$animal::class, Zoo_Animal::IS, $animal instanceof Zoo_Animal, $keeper::class, Zoo\Keeper::IS, $animal->name()];
            PHP, classes: [
            'Zoo/Animal.py' => "class Zoo_Animal:\n    def name(self): return 'python'\n",
            'Zoo/Keeper.py' => <<<'PYTHON'
                from Zoo.Animal import Zoo_Animal
                class Zoo_Keeper:
                    def animal(self): return Zoo_Animal()
                PYTHON,
        ]);

        $taken = 'Tortoise\Python\Zoo\Animal\Zoo_Animal';
        self::assertSame([$taken, 'php', false, 'Zoo_Keeper', 'php', 'python'], $facts);
    }

    public function testAnAutoloaderMayUseTheClassItIsAskedFor(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $depth = 0;
            spl_autoload_register(function ($name) use (&$depth) {
                if ($depth++ < 5) {
                    class_exists('Foo_Bar') && new Foo_Bar();
                    class_exists('Foo\Bar') && new Foo\Bar();
                }
            });
            $object = new Foo\Bar(3);
            return [$object::class, $object->twice(), Tortoise\status()['classes']];
            PHP);

        self::assertSame(['Foo_Bar', 6, 1], $facts);
    }

    public function testAnAutoloadersExceptionIsPassedOnAndPythonIsNotAsked(): void
    {
        $facts = self::evaluate(<<<'PHP'
            spl_autoload_register(fn ($name) => throw new DomainException("no {$name}"));
            try {
                new Foo_Bar();
            } catch (DomainException $refusal) {
            }
            return [$refusal->getMessage(), Tortoise\status()['connected']];
            PHP);

        self::assertSame(['no Foo_Bar', false], $facts);
    }

    public function testQuestionsThatAutoloadFindPythonClasses(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return [
                class_exists('Foo_Bar', false), class_exists('Foo_Bar'), class_exists('Foo_Bar', false),
                interface_exists('App\Shop\Basket'), class_exists('App\Shop\Basket', false),
                is_a('Held_Account', 'Tortoise\PyObject', true), is_subclass_of('Held_Account', 'Tortoise\Remote'),
                is_a('Held_Account', 'Held\Account', true), is_subclass_of('Held_Account', 'Held_Account'),
                is_callable(['Quiet_Voice', '__construct']), trait_exists('Quiet_Voice'), enum_exists('Quiet_Voice'),
                defined('Foo_Bar::SIDES'), constant('Foo_Bar::SIDES'),
            ];
            PHP);

        self::assertSame([
            false, true, true,
            false, true,
            true, true,
            true, false,
            false, false, false,
            true, 2,
        ], $facts);
    }

    public function testNamesWithoutAFileStartNothing(): void
    {
        $facts = self::evaluate(<<<'PHP'
            try {
                new Foo_Nothing();
            } catch (Error $error) {
            }
            try {
                throw new DomainException();
            } catch (Foo_Nothing) {
            } catch (DomainException) {
            }
            $nothing = [
                class_exists('Foo_Nothing'), interface_exists('Foo\Nothing'), trait_exists('Foo'), enum_exists('Std'),
                is_a('Foo_Nothing', 'Foo_Other', true), is_subclass_of('Foo_Nothing', 'Foo_Other'),
                is_callable('Foo_Nothing::make'), (new stdClass()) instanceof Foo_Nothing, defined('Foo_Nothing::SIDES'),
                get_class(unserialize('O:11:"Foo_Nothing":0:{}')),
            ];
            $used = array_diff(scandir(getenv('XDG_RUNTIME_DIR')), ['.', '..']);
            return [get_class($error), $error->getMessage(), $nothing, Tortoise\status()['connected'], $used];
            PHP);

        self::assertSame([
            'Error',
            'Class "Foo_Nothing" not found',
            [false, false, false, false, false, false, false, false, false, '__PHP_Incomplete_Class'],
            false,
            [],
        ], $facts);
    }

    public function testWithoutRootsNothingIsLookedFor(): void
    {
        $facts = self::evaluate(<<<'PHP'
            chdir(getenv('XDG_RUNTIME_DIR') . '/../classes');
            return [is_file('Foo/Bar.py'), class_exists('Foo_Bar'), Tortoise\status()['connected']];
            PHP, ini: ['tortoise.path' => ''], classes: ['Foo/Bar.py' => "class Foo_Bar: pass\n"]);

        self::assertSame([true, false, false], $facts);
    }

    /** What a preload script declares is shared by all later requests. */
    public function testAPreloadScriptFindsNoPythonClassAndConnectsNothing(): void
    {
        $preload = self::sandbox()->write('preload.php', <<<'PHP'
            <?php
            echo json_encode([class_exists('Foo_Bar'), Tortoise\status()['connected']]), "\n";
            PHP);
        $result = self::php('echo json_encode([class_exists("Foo_Bar"), Tortoise\status()["connected"]]);', ini: [
            'zend_extension' => 'opcache.so',
            'opcache.enable_cli' => '1',
            'opcache.preload' => $preload,
            'opcache.preload_user' => posix_getpwuid(posix_geteuid())['name'],
        ]);

        self::assertSame("[false,false]\n[true,true]", $result->cleanOutput());
    }
}
