<?php

declare(strict_types=1);

namespace Tortoise\Tests\Memory;

use Fleeting;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Python forgets an object when PHP has let go of it: by the next call, and without a round trip of its own. */
final class ReleaseTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        self::assertSame(0, Fleeting::alive(), 'an earlier test has left nothing');
        Fleeting::died();
    }

    public function testByTheNextCallItIsGone(): void
    {
        $object = new Fleeting('one');
        self::assertSame(1, Fleeting::alive());
        unset($object);
        self::assertSame(0, Fleeting::alive());
        self::assertSame(['one'], Fleeting::died());
        $object = new Fleeting('two');
        $object = new Fleeting('three');
        self::assertSame(['two'], Fleeting::died());
        $object = null;
        self::assertSame(['three'], Fleeting::died());
    }

    public function testAnObjectThatNobodyKeepsIsGone(): void
    {
        new Fleeting('unkept');
        (new Fleeting('chain'))->another('chained')->another('at its end')->name;
        self::assertSame(0, Fleeting::alive());
        self::assertEqualsCanonicalizing(['unkept', 'chain', 'chained', 'at its end'], Fleeting::died());
    }

    public function testWhateverItWasReceivedFor(): void
    {
        $object = new Fleeting();
        for ($time = 0; $time < 100; $time++) {
            self::assertSame($object, $object->echo($object));
            self::assertSame([$object, [$object]], $object->echo([$object, [$object]]));
        }
        self::assertSame(1, Fleeting::alive());
        unset($object);
        self::assertSame(0, Fleeting::alive());
    }

    public function testAnObjectThatPythonHoldsStays(): void
    {
        $holder = new Fleeting('holder');
        $held = new Fleeting('held');
        $holder->hold($held);
        unset($held);
        self::assertSame(2, Fleeting::alive());
        self::assertSame('held', $holder->held->name);
        $again = $holder->held;
        $holder->hold(null);
        self::assertSame(2, Fleeting::alive(), 'now PHP holds it');
        unset($again);
        self::assertSame(1, Fleeting::alive());
        unset($holder);
        self::assertSame(0, Fleeting::alive());
    }

    public function testReceivedAgainWhileItIsOnItsWayOut(): void
    {
        $holder = new Fleeting('holder');
        $holder->hold(new Fleeting('held'));
        for ($time = 0; $time < 100; $time++) {
            $held = $holder->held;
            unset($held);
            self::assertSame('held', $holder->held->name);
        }
        self::assertSame(2, Fleeting::alive());
        unset($holder);
        self::assertSame(0, Fleeting::alive());
    }

    public function testPartsOfAnAnswerThatNobodyKeepsAreGone(): void
    {
        $object = new Fleeting();
        [$first] = $object->several(10);
        self::assertSame(2, Fleeting::alive());
        unset($first);
        \count($object->several(10));
        self::assertSame(1, Fleeting::alive());
        unset($object);
        self::assertSame(0, Fleeting::alive());
    }

    public function testAnswersThatCannotCrossLeaveNothing(): void
    {
        $object = new Fleeting();
        $object->hold([new Fleeting('inside')]);
        try {
            $object->echo(['deep' => [new Fleeting('given'), fopen('php://memory', 'r')]]);
            self::fail('a resource crossed');
        } catch (\Tortoise\ConversionException) {
        }
        self::assertSame(2, Fleeting::alive());
        unset($object);
        self::assertSame(0, Fleeting::alive());
    }

    public function testTheFramesOfAnExceptionGoWithIt(): void
    {
        $object = new Fleeting();
        try {
            $object->fail();
        } catch (\Tortoise\Python\KeyError $error) {
            self::assertSame(2, Fleeting::alive(), 'the traceback holds the frame and its variables');
            self::assertSame('in a frame', $error->getPythonException()->args[1]->name);
        }
        unset($error);
        self::assertSame(1, Fleeting::alive());
        unset($object);
        self::assertSame(0, Fleeting::alive());
    }

    public function testAnErrorInADestructorHarmsNobody(): void
    {
        $object = new Fleeting('failing');
        unset($object);
        self::assertSame(0, Fleeting::alive());
        self::assertSame(['failing'], Fleeting::died());
    }

    public function testADestructorMayMakeObjects(): void
    {
        $object = new Fleeting('remembering');
        unset($object);
        self::assertSame(0, Fleeting::alive());
        self::assertSame(['remembering', 'born of a dying one'], Fleeting::died());
    }

    public function testCyclesInPhpAreGoneWhenPhpCollectsThem(): void
    {
        $cycle = ['object' => new Fleeting('in an array')];
        $cycle['self'] = &$cycle;
        $box = new \stdClass();
        $box->self = $box;
        $box->object = new Fleeting('in an object');
        unset($cycle, $box);
        self::assertSame(2, Fleeting::alive());
        gc_collect_cycles();
        self::assertSame(0, Fleeting::alive());
    }

    public function testLettingGoNeverWaitsForPython(): void
    {
        $objects = [];
        for ($number = 0; $number < 5000; $number++) {
            $objects[] = new Fleeting();
        }
        self::assertSame(5000, Fleeting::alive());
        $session = (int) \Tortoise\status()['session'];
        self::assertTrue(posix_kill($session, SIGSTOP));
        try {
            // A stopped session answers nothing, so whoever waited for it would wait for the timeout of a minute.
            $begin = hrtime(true);
            array_pop($objects);
            $objects = [];
            self::assertLessThan(20e9, hrtime(true) - $begin);
        } finally {
            posix_kill($session, SIGCONT);
        }
        self::assertSame(0, Fleeting::alive());
    }

    public function testAtTheEndOfARequestPhpsDestructorsHaveTheirObjects(): void
    {
        $result = self::php(<<<'PHP'
            $kept = new Fleeting('global');
            static $static = null;
            $static = new Fleeting('static');
            $cycle = [new Fleeting('cycle')];
            $cycle[] = &$cycle;
            echo Fleeting::alive();
            class Keeper { public static $kept; public function __construct(public $object) {} public function __destruct() { echo $this->object->name; } }
            Keeper::$kept = new Keeper($kept);
            register_shutdown_function(function () use ($kept) { echo ' ', $kept->name, ' '; });
            PHP);
        self::assertSame('3 global global', $result->cleanOutput(), 'shutdown functions and destructors have their objects');
    }
}
