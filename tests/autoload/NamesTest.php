<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** Which file and class of it a PHP name means, and which PHP name a Python class gets. */
final class NamesTest extends TestCase
{
    public function testUnderscoresAreFolders(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = new Foo_Bar(4);
            return [$object->twice(plus: 1), $object::class, (new ReflectionClass('Foo_Bar'))->getFileName()];
            PHP);

        self::assertSame([9, 'Foo_Bar', __DIR__ . '/Foo/Bar.py'], $facts);
    }

    public function testNamespacesAreFolders(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $object = new App\Shop\Basket();
            return [$object->where(), $object::class, class_exists('\App\Shop\Basket')];
            PHP);

        self::assertSame(['App.Shop.Basket', 'App\Shop\Basket', true], $facts);
    }

    public function testTheFilesSpellingCountsAndThenLowerCase(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return [
                class_exists('foo_bar'), class_exists('FOO_BAR'), class_exists('app\shop\basket'),
                get_class(new Quiet_Voice()), get_class(new QUIET_VOICE()), get_class(new Quiet\Voice()),
                get_class(new Two_Files()),
                class_exists('Foo_Bar'), class_exists('foo_bar'),
            ];
            PHP, classes: [
            'Two/Files.py' => "class Two_Files: pass\n",
            'two/files.py' => "class Other: pass\n",
        ]);

        // PHP finds a declared class in any case.
        $voice = 'quiet\Voice';
        self::assertSame([false, false, false, $voice, $voice, $voice, 'Two_Files', true, true], $facts);
    }

    /** @dataProvider twoSpellings */
    public function testTheOtherSpellingIsAnAliasOfTheSameClass(string $asked, string $other, string $declared): void
    {
        $facts = self::evaluate(<<<PHP
            \$object = new {$asked}();
            return [
                \$object::class, (new ReflectionClass('{$asked}'))->getName(), (new ReflectionClass('{$other}'))->getName(),
                \$object instanceof {$asked}, \$object instanceof {$other}, is_a(\$object, '{$other}'),
                get_class(new {$other}()), Tortoise\\type('{$asked}') === Tortoise\\type('{$other}'),
                Tortoise\\status()['classes'],
            ];
            PHP);

        self::assertSame([$declared, $declared, $declared, true, true, true, $declared, true, 1], $facts);
    }

    /** @return iterable<string, array{string, string, string}> */
    public static function twoSpellings(): iterable
    {
        yield 'the whole name in the file' => ['Foo_Bar', 'Foo\Bar', 'Foo_Bar'];
        yield 'the whole name in the file, asked by the other' => ['Foo\Bar', 'Foo_Bar', 'Foo_Bar'];
        yield 'the last part in the file' => ['App\Shop\Basket', 'App\Shop_Basket', 'App\Shop\Basket'];
        yield 'the last part in the file, asked by the other' => ['App_Shop_Basket', 'App\Shop_Basket', 'App\Shop\Basket'];
    }

    /** `catch`, `instanceof` and parameter types ask no autoloader, so all spellings are there with the class. */
    public function testTheOtherSpellingIsKnownWithoutBeingAskedFor(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $thrower = new Spelled_Thrower();
            try {
                $thrower->refuse();
            } catch (Spelled_Refusal $refusal) {
            }
            $take = fn (App\Spelled_Deep_Taken $taken) => $taken::class;
            $taken = new App_Spelled_Deep_Taken();
            return [
                $refusal::class, $take($taken), $taken instanceof App\Spelled\Deep_Taken, $taken instanceof App\Spelled\Deep\Taken,
                $thrower instanceof Spelled\Thrower, class_exists('My_App\Place_Holder', false), (new My_App\Place\Holder())::class,
                class_exists('My_App\Place_Holder', false), class_exists('My_App_Place_Holder'), Tortoise\status()['classes'],
            ];
            PHP, classes: [
            'Spelled/Refusal.py' => "class Refusal(Exception): pass\n",
            'Spelled/Thrower.py' => <<<'PYTHON'
                from Spelled.Refusal import Refusal
                class Spelled_Thrower:
                    def refuse(self): raise Refusal("no")
                PYTHON,
            'App/Spelled/Deep/Taken.py' => "class Deep_Taken: pass\n",
            'My_App/Place/Holder.py' => "class Holder: pass\n",
        ]);

        self::assertSame([
            'Spelled\Refusal', 'App\Spelled\Deep_Taken', true, true,
            true, false, 'My_App\Place\Holder',
            true, false, 6,
        ], $facts);
    }

    public function testAFileWithBothNamesHoldsTwoClasses(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $whole = new Two_Names();
            return [$whole instanceof Two\Names, $whole->name(), (new Two\Names())->name(), $whole::class, get_class(new Two\Names())];
            PHP, classes: ['Two/Names.py' => <<<'PYTHON'
            class Names:
                def name(self): return "short"
            class Two_Names:
                def name(self): return "whole"
            PYTHON]);

        self::assertSame([false, 'whole', 'short', 'Two_Names', 'Two\Names'], $facts);
    }

    public function testTheOtherClassesOfAFileHaveNamesBelowOrBesideIt(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $account = new Held_Account();
            try {
                $account->refuse();
            } catch (Held_Refused $refused) {
            }
            return [
                $refused::class, get_class($account->helper()), get_class($account->inner()), get_class($account->hidden()),
                $account->helper() instanceof Held\Account\Helper, get_class(new Held\Account\Helper()),
            ];
            PHP);

        $helper = 'Held\Account\Helper';
        $hidden = 'Held\Account\Held_Account\hidden\Hidden';
        self::assertSame(['Held_Refused', $helper, "{$helper}\\Inner", $hidden, true, $helper], $facts);
    }

    public function testAClassThatTheFileOnlyImportsIsThatClass(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $number = new Std_Decimal('1.10');
            return [
                $number::class, $number instanceof Std\Decimal, class_exists('Std\Decimal'),
                $number instanceof Std\Decimal, $number->is_signed(), $number->adjusted(),
                $number->normalize() instanceof Std_Decimal,
            ];
            PHP);

        // `instanceof` asks no autoloader, and the file's other spelling is no name of this class by itself.
        self::assertSame(['Tortoise\Python\decimal\Decimal', false, true, true, false, 0, true], $facts);
    }

    public function testANameThatPhpHasTakenGoesBelowTortoisePython(): void
    {
        $facts = self::evaluate(<<<'PHP'
            eval('class Held_Refused extends Exception {}');
            try {
                (new Held_Account())->refuse();
            } catch (Tortoise\PythonException $refused) {
            }
            $maker = new Taken_Maker();
            return [
                $refused::class, $refused instanceof Held_Refused,
                get_class($maker->iterator()), get_class($maker->again()), get_class($maker->twin()),
                (new Iterator_Child())->is_python(), get_parent_class('Iterator_Child'),
            ];
            PHP, classes: [
            'Iterator.py' => "class Iterator:\n    def is_python(self): return True\n",
            'Iterator/Child.py' => "from Iterator import Iterator\nclass Iterator_Child(Iterator): pass\n",
            'Taken/Maker.py' => <<<'PYTHON'
                from Iterator import Iterator

                class Taken_Maker:
                    def iterator(self): return Iterator()
                    def again(self): return Iterator()
                    def twin(self):
                        return type("Iterator", (), {"__module__": "Iterator"})()
                PYTHON,
        ]);

        self::assertSame([
            'Tortoise\Python\Held\Account\Held_Refused',
            false,
            'Tortoise\Python\Iterator\Iterator',
            'Tortoise\Python\Iterator\Iterator',
            'Tortoise\Python\Iterator\Iterator_2',
            true,
            'Tortoise\Python\Iterator\Iterator',
        ], $facts);
    }

    public function testAClassStaysTheSameWhenItsSessionIsReplaced(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $before = (new Held_Account())->helper();
            exec('kill -KILL ' . Tortoise\status()['session']);
            try {
                $before->absent();
            } catch (Tortoise\Exception $lost) {
            }
            $account = new Held_Account();
            try {
                $account->refuse();
            } catch (Held_Refused $refused) {
            }
            return [
                $lost::class, $before::class, $account->helper()::class, $refused::class, Tortoise\status()['classes'],
                $account->helper() instanceof $before,
            ];
            PHP);

        self::assertContains($facts[0], ['Tortoise\ConnectionException', 'Tortoise\StaleObjectException']);
        $helper = 'Held\Account\Helper';
        // Account, Helper, Refused, Exception, BaseException.
        self::assertSame([$helper, $helper, 'Held_Refused', 5, true], \array_slice($facts, 1));
    }

    public function testANameThatPhpReservesGetsAnUnderscore(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $bare = 'App\List';
            return [
                get_class(new App\List_()), get_class(new $bare()), class_exists('App\List'), class_exists('App\List_'),
                get_class(Tortoise\type('App\List')()), get_class(new String_()),
                Tortoise\status()['classes'], Tortoise\status()['renamed'],
            ];
            PHP, classes: ['App/List.py' => "class List: pass\n", 'String.py' => "class String: pass\n"]);

        $list = 'App\List_';
        self::assertSame([$list, $list, true, true, $list, 'String_', 2, 2], $facts);
    }

    public function testLettersBeyondAsciiStandInNames(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $counter = new Zähler(größe: 3);
            return [$counter::class, $counter->größe, $counter->verdopple(ärger: 1), Zähler::GRÖSSE];
            PHP, classes: ['Zähler.py' => <<<'PYTHON'
            class Zähler:
                def __init__(self, größe): self.größe = größe
                def verdopple(self, ärger=0): return 2 * self.größe + ärger
                GRÖSSE = 7
            PYTHON]);

        self::assertSame(['Zähler', 3, 7, 7], $facts);
    }
}
