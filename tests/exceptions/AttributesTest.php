<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Accounts;
use Tortoise\Python;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** A Python exception in PHP has the attributes, the methods, the constants and the documentation of its Python class. */
final class AttributesTest extends TestCase
{
    private \Held_Error $error;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        try {
            (new Accounts())->check(7);
        } catch (\Held_Error $error) {
            $this->error = $error;
        }
    }

    public function testAttributesAreRead(): void
    {
        self::assertSame([7, null, ['held: 7']], [$this->error->account, $this->error->hint, $this->error->args]);
        self::assertSame('HELD: 7', $this->error->upper, 'a property');
        self::assertSame('by __getattr__', $this->error->guessed);
        $name = 'account';
        self::assertSame(7, $this->error->$name);
    }

    public function testAttributesAreAskedFor(): void
    {
        self::assertTrue(isset($this->error->account));
        self::assertFalse(isset($this->error->hint), 'None is null');
        self::assertFalse(isset($this->error->nothing));
        self::assertSame('none', $this->error->nothing ?? 'none');
        self::assertFalse(empty($this->error->account));
        self::assertTrue(property_exists($this->error, 'message'));
    }

    public function testAttributesAreWrittenAndDeleted(): void
    {
        $this->error->note = ['a' => 1];
        self::assertSame(['a' => 1], $this->error->note);
        self::assertSame(['a' => 1], $this->error->getPythonException()->note, 'it is in Python');
        unset($this->error->note);
        self::assertFalse(isset($this->error->note));
        $this->error->account += 1;
        self::assertSame(16, $this->error->twice());
    }

    public function testAnAttributeThatIsNotThereIsPythonsError(): void
    {
        $this->expectException(Python\AttributeError::class);
        $this->error->nothing;
    }

    public function testWhatAPropertyRaises(): void
    {
        $this->expectException(Python\RuntimeError::class);
        $this->expectExceptionMessage('no such luck');
        $this->error->broken;
    }

    public function testPrivateNamesAreRefused(): void
    {
        $this->expectException(\Tortoise\AccessException::class);
        $this->error->_secret;
    }

    public function testAChangeInPlaceThatWouldBeLostIsRefused(): void
    {
        $this->error->list = [1];
        $this->expectException(\Tortoise\ConversionException::class);
        $this->error->list[] = 2;
    }

    public function testWhatPhpsExceptionsHaveStaysPhps(): void
    {
        self::assertSame(['held: 7', 0], [$this->error->getMessage(), $this->error->getCode()]);
        self::assertSame('E42', $this->error->getPythonException()->code);
        self::assertSame('before', $this->error->previous, 'private to PHP\'s own class, so the name is free');
        self::assertNull($this->error->getPrevious());
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('protected property');
        $this->error->code;
    }

    public function testMethods(): void
    {
        self::assertSame(14, $this->error->twice());
        self::assertSame(9, $this->error->add(2), 'an attribute that is a function');
        self::assertSame(9, \call_user_func([$this->error, 'add'], 2));
        self::assertTrue(\is_callable([$this->error, 'add']));
        self::assertFalse(\is_callable([$this->error, 'nothing']));
        self::assertSame($this->error->getPythonException(), $this->error->me());
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('Call to undefined method Held_Error::nothing()');
        $this->error->nothing();
    }

    public function testItsClassIsDescribed(): void
    {
        $class = new \ReflectionClass($this->error);
        self::assertSame(3, \Held_Error::LEVEL);
        self::assertStringContainsString('Somebody must look at it.', (string) $class->getDocComment());
        self::assertSame(['reason', 'account', 'arguments'], array_map(static fn($p) => $p->getName(), $class->getConstructor()->getParameters()));
        self::assertTrue($class->hasMethod('twice'));
    }

    public function testAPhpSubclassHasItsOwnToo(): void
    {
        $error = new class ('mine', 5) extends \Held_Error {
            public string $own = 'PHP';
            private string $secret = 'hidden';

            public function secret(): string
            {
                return "{$this->secret} {$this->upper} {$this->message}";
            }
        };
        $error->own .= '!';
        self::assertSame(['PHP!', 5, 'hidden MINE: 5 mine: 5'], [$error->own, $error->account, $error->secret()]);
        self::assertFalse(isset($error->getPythonException()->own));
    }

    public function testMagicMethodsOfAPhpSubclassComeFirst(): void
    {
        $error = new class ('mine', 5) extends \Held_Error {
            public function __get(string $name): mixed
            {
                return "magic {$name}";
            }

            public function __isset(string $name): bool
            {
                return $name === 'nothing';
            }

            public function __call(string $name, array $arguments): mixed
            {
                return "called {$name}";
            }
        };
        self::assertSame(['magic account', 'called add', 10], [$error->account, $error->add(1), $error->twice()]);
        self::assertSame([true, false], [isset($error->nothing), isset($error->account)]);
    }

    public function testWhoShowsAnExceptionOfALostSessionIsNotHindered(): void
    {
        $code = <<<'PHP'
            $raising = new Raising();
            try {
                $raising->plain();
            } catch (Tortoise\PythonException $error) {
            }
            try {
                $raising->vanish();
            } catch (Tortoise\Exception) {
            }
            $stale = false;
            try {
                $error->args;
            } catch (Tortoise\StaleObjectException) {
                $stale = true;
            }
            return [isset($error->xdebug_message), $error->getMessage(), $error->getTrace()[0]['function'], $stale];
            PHP;
        self::assertSame([false, 'plain message', 'plain', true], self::evaluate($code));
    }
}
