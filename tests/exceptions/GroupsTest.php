<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Accounts;
use Tortoise\Python;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** An exception group gives its members as exceptions, as deep as it goes. */
final class GroupsTest extends TestCase
{
    private Python\ExceptionGroup $group;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        try {
            (new Accounts())->group();
        } catch (Python\ExceptionGroup $group) {
            $this->group = $group;
        }
    }

    public function testItsMembersAreExceptions(): void
    {
        $members = $this->group->getExceptions();
        self::assertSame([\Held_Error::class, Python\ZeroDivisionError::class, Python\ExceptionGroup::class], array_map('get_class', $members));
        self::assertSame(['x: 3', 3], [$members[0]->getMessage(), $members[0]->account]);
        self::assertSame('several (3 sub-exceptions)', $this->group->getMessage());
        self::assertSame('several', $this->group->args[0]);
        self::assertContainsOnlyInstancesOf(\Throwable::class, $members);
        $this->expectExceptionObject($members[0]);
        throw $members[0];
    }

    public function testGroupsInGroups(): void
    {
        [$error] = $this->group->getExceptions()[2]->getExceptions();
        self::assertSame([Python\TypeError::class, 't'], [$error::class, $error->getMessage()]);
    }

    public function testTheyAreTheSameEachTime(): void
    {
        self::assertSame($this->group->getExceptions(), $this->group->getExceptions());
        self::assertSame($this->group->exceptions[0], $this->group->getExceptions()[0]->getPythonException());
    }

    public function testAMemberKnowsWhereItWasRaised(): void
    {
        $member = $this->group->getExceptions()[1];
        self::assertSame([__DIR__ . '/Accounts.py', TraceTest::lineOf('outer')], [$member->getFile(), $member->getLine()]);
        self::assertSame(['outer', TraceTest::lineOf('member')], [$member->getTrace()[0]['function'], $member->getTrace()[0]['line']]);
        self::assertSame('raised', $member->getTrace()[1]['function']);
        $never = $this->group->getExceptions()[0];
        self::assertSame(__FILE__, $never->getFile(), 'it was never raised, so it comes from where PHP asked for it');
    }

    public function testItsCauseIsThePrevious(): void
    {
        self::assertInstanceOf(Python\ZeroDivisionError::class, $this->group->getPrevious());
    }

    public function testTheTracebackShowsTheTree(): void
    {
        $traceback = $this->group->getPythonTraceback();
        foreach (['+-+---------------- 1 ----------------', '| Held.Error.Held_Error: x: 3', 'ExceptionGroup: inner (1 sub-exception)', '| TypeError: t'] as $part) {
            self::assertStringContainsString($part, $traceback);
        }
    }

    public function testPythonsOwnMethodsOfGroups(): void
    {
        $found = $this->group->subgroup(\Tortoise\type(Python\TypeError::class));
        self::assertSame(1, \count($found->exceptions));
    }

    public function testAGroupMadeInPhp(): void
    {
        $error = new \Held_Error('m', 1);
        $group = new Python\ExceptionGroup('of PHP', [$error, new Python\ValueError('v')]);
        self::assertSame([$error, 'of PHP (2 sub-exceptions)', __LINE__ - 1], [$group->getExceptions()[0], $group->getMessage(), $group->getLine()]);
        $severe = new Python\BaseExceptionGroup('severe', [new Python\KeyboardInterrupt()]);
        self::assertInstanceOf(Python\KeyboardInterrupt::class, $severe->getExceptions()[0]);
    }

    public function testGroupsOfAnApplication(): void
    {
        $held = new Accounts();
        foreach (['own_group' => [\Held_Group::class, \Held_Error::class], 'odd_group' => [\Held_OddGroup::class, Python\ValueError::class]] as $method => $classes) {
            try {
                $held->$method();
                self::fail('nothing was raised');
            } catch (PythonException $group) {
            }
            self::assertSame($classes, [$group::class, $group->getExceptions()[0]::class]);
        }
        self::assertFalse(method_exists(Python\KeyError::class, 'getExceptions'));
    }

    public function testOneThatIsNoneInPython(): void
    {
        $group = new class () extends Python\ExceptionGroup {
            public function __construct() {}
        };
        $this->expectException(\Tortoise\StaleObjectException::class);
        $group->getExceptions();
    }
}
