<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** A class file is one Python module, whoever asks for it, and never in the way of another module. */
final class ModulesTest extends TestCase
{
    public function testPhpAndPythonImportTheSameModule(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $user = new Zoo_User();
            $animal = $user->animal();
            return [
                get_class($animal), $animal instanceof Zoo_Animal, $user->same(new Zoo_Animal()), (new Zoo_Animal())->imports(),
                get_parent_class('Zoo_Cat'), (new Zoo_Cat())->imports(), Tortoise\type('Zoo_Animal') === $user->kind(),
            ];
            PHP, classes: self::ZOO);

        self::assertSame(['Zoo_Animal', true, true, 1, 'Zoo_Animal', 1, true], $facts);
    }

    public function testASecondProcessOfPhpHasModulesOfItsOwn(): void
    {
        $code = 'return (new Zoo_Animal())->imports();';
        self::assertSame(1, self::evaluate($code, classes: self::ZOO));
        self::assertSame(1, self::evaluate($code));
    }

    public function testAClassFileNamedAsALibraryModuleIsNoTrapForLibraries(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $json = new Json();
            $message = new Email_Message();
            $again = (new Other_Reader())->read('[1, {"a": null}]');
            return [
                $json->name(), $json->read('[1]'), $message->name(), $message->parsed('From: a@example.org'), $again,
                Json::class, get_class($json), get_class(new Email\Message()), (new Json_Part())->whole(),
            ];
            PHP, classes: [
            'json.py' => <<<'PYTHON'
                import json
                from email import message_from_string
                class Json:
                    def name(self): return __name__.rpartition('.')[2]
                    def read(self, text): return json.loads(text)
                PYTHON,
            'json/Part.py' => <<<'PYTHON'
                class Part:
                    def whole(self): return 'part'
                PYTHON,
            'Json/Part.py' => "class Part:\n    def whole(self): return 'part'\n",
            'email/Message.py' => <<<'PYTHON'
                import email, email.policy
                class Message:
                    def name(self): return __name__.rpartition('.')[2]
                    def parsed(self, text): return email.message_from_string(text)['from']
                PYTHON,
            'email/message.py' => "class Message:\n    def name(self): raise RuntimeError('not this file')\n",
            'Email/Message.py' => <<<'PYTHON'
                import email, email.message
                class Message:
                    def name(self): return __name__.rpartition('.')[2]
                    def parsed(self, text): return email.message_from_string(text)['from']
                PYTHON,
            'Other/Reader.py' => <<<'PYTHON'
                import json
                class Reader:
                    def read(self, text): return json.JSONDecoder().decode(text)
                PYTHON,
        ]);

        self::assertSame([
            'json', [1], 'Message', 'a@example.org', [1, ['a' => null]],
            'Json', 'Json', 'Email\Message', 'part',
        ], $facts);
    }

    public function testALowerCasePackageNamedAsALibrarysIsFoundToo(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return [(new Email_Tool())->subject('Subject: x'), (new Email_Tool())->helper()];
            PHP, classes: [
            'email/tool.py' => <<<'PYTHON'
                import email
                from .helper import helped
                class Tool:
                    def subject(self, text): return email.message_from_string(text)['subject']
                    def helper(self): return helped
                PYTHON,
            'email/helper.py' => "helped = 'helped'\n",
        ]);

        self::assertSame(['x', 'helped'], $facts);
    }

    public function testAFileMayStandBesideAFolderOfItsName(): void
    {
        $facts = self::evaluate(<<<'PHP'
            // The child is asked for first, so Python imports the file beside the folder by itself.
            $user = new Other_User();
            return [
                get_parent_class('Model_Page'), get_class(new Model()), (new Model_Page())->kind(), $user->page() instanceof Model_Page,
                get_class($user->page()), (new Model())->imports(),
            ];
            PHP, classes: [
            'Model.py' => <<<'PYTHON'
                imports = globals().get("imports", 0) + 1
                class Model:
                    def kind(self): return "model"
                    def imports(self): return imports
                PYTHON,
            'Model/Page.py' => "from Model import Model\nclass Model_Page(Model): pass\n",
            'Other/User.py' => <<<'PYTHON'
                from Model.Page import Model_Page
                class Other_User:
                    def page(self): return Model_Page()
                PYTHON,
        ]);

        self::assertSame(['Model', 'Model', 'model', true, 'Model_Page', 1], $facts);
    }

    public function testAFolderMayBeAPackage(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return [(new Pack_Part())->setting(), get_class(new Pack_Part()), get_class((new Pack_Part())->whole())];
            PHP, classes: [
            'Pack/__init__.py' => "SETTING = 'set'\nclass Pack: pass\nclass Other: pass\n",
            'Pack/Part.py' => <<<'PYTHON'
                from . import SETTING, Other
                class Part:
                    def setting(self): return SETTING
                    def whole(self): return Other()
                PYTHON,
        ]);

        self::assertSame(['set', 'Pack\Part', 'Pack\Other'], $facts);
    }

    public function testAFolderMayBeDividedOverTwoRoots(): void
    {
        $sandbox = self::sandbox();
        $sandbox->write('second/Zoo/Dog.py', <<<'PYTHON'
            from Zoo.Animal import Zoo_Animal
            class Zoo_Dog(Zoo_Animal): pass
            PYTHON);
        $path = $sandbox->classes . ':' . \dirname($sandbox->classes) . '/second';
        $facts = self::evaluate('return [get_parent_class("Zoo_Dog"), (new Zoo_Dog())->imports()];', ['tortoise.path' => $path], self::ZOO);

        self::assertSame(['Zoo_Animal', 1], $facts);
    }

    private const ZOO = [
        'Zoo/Animal.py' => <<<'PYTHON'
            import sys
            sys.zoo_imports = getattr(sys, "zoo_imports", 0) + 1

            class Zoo_Animal:
                def imports(self): return sys.zoo_imports
            PYTHON,
        'Zoo/Cat.py' => "from .Animal import Zoo_Animal\nclass Zoo_Cat(Zoo_Animal): pass\n",
        'Zoo/User.py' => <<<'PYTHON'
            import Zoo.Animal

            class Zoo_User:
                def animal(self): return Zoo.Animal.Zoo_Animal()
                def kind(self): return Zoo.Animal.Zoo_Animal
                def same(self, animal): return type(animal) is Zoo.Animal.Zoo_Animal
            PYTHON,
    ];
}
