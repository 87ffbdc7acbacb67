<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * The Minion tasks, which call the program `tortoise`.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_TaskTest extends Tortoise_TestCase {

	const SCRIPT = 'Minion_Task::factory(Minion_CLI::options())->execute();';

	public function setUp(): void
	{
		parent::setUp();

		if ( ! is_dir(MODPATH.'minion/classes'))
			$this->markTestSkipped('This Kohana has no Minion.');
	}

	/**
	 * Has the tasks call a program that writes its arguments.
	 *
	 * @param   integer  $status  what it exits with
	 * @return  void
	 */
	protected function write_program($status = 0)
	{
		$program = $this->write('program', "#!/bin/sh\nprintf '%s\\n' \"\$@\"\nexit {$status}\n");
		chmod($program, 0755);
		$this->write('application/config/tortoise.php', '<?php return array(
			"default" => array("command" => "'.$program.'", "server" => "unix:///run/a.sock"),
			"numbers" => array("command" => "'.$program.'", "server" => "unix:///run/b.sock", "python" => "/venv/bin/python",
				"modules" => array("numpy", "math"), "config" => "/etc/tortoise.toml"),
			"own"     => array("command" => "'.$program.'"),
			"lost"    => array("command" => "/nowhere/tortoise", "server" => "unix:///run/a.sock"),
		);');
	}

	public function provider_tasks()
	{
		return array(
			array(array('--task=tortoise:status'), "status\n--address=unix:///run/a.sock\n"),
			array(array('--task=tortoise:status', '--json', '--group=numbers'), "status\n--config=/etc/tortoise.toml\n--address=unix:///run/b.sock\n--json\n"),
			array(array('--task=tortoise:stop'), "stop\n--address=unix:///run/a.sock\n"),
			array(array('--task=tortoise:restart'), "restart\n--address=unix:///run/a.sock\n"),
			array(array('--task=tortoise:start', '--group=numbers'), "start\n--config=/etc/tortoise.toml\n--listen=unix:///run/b.sock\n--path=PATHS\n--python=/venv/bin/python\n--modules=numpy,math\n"),
			array(array('--task=tortoise:check', '--group=own'), "check\n--path=PATHS\n"),
		);
	}

	/**
	 * @dataProvider provider_tasks
	 */
	public function test_the_command_line(array $arguments, $expected)
	{
		$this->write_program();
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    pass\n");

		$paths = $this->folder.'application/classes/:'.dirname(dirname(__DIR__)).'/python';
		$this->assertSame(str_replace('PATHS', $paths, $expected), $this->run_script(self::SCRIPT, array('minion'), $arguments));
	}

	public function test_the_exit_status_is_that_of_the_program()
	{
		$this->write_program(3);

		list($status) = $this->run_process(self::SCRIPT, array('minion'), array('--task=tortoise:status'));

		$this->assertSame(3, $status);
	}

	public function test_what_is_not_set_is_reported()
	{
		$this->write_program();

		foreach (array('own' => 'has no server', 'lost' => 'There is no program /nowhere/tortoise') as $group => $message)
		{
			$this->assertStringContainsString($message, $this->run_script('
				try { '.self::SCRIPT.' } catch (Tortoise_Exception $e) { echo $e->getMessage(); }
			', array('minion'), array('--task=tortoise:status', '--group='.$group)));
		}
	}

	public function test_the_help_of_the_tasks()
	{
		$this->assertStringContainsString('Ends the sidecar', $this->run_script(self::SCRIPT, array('minion'), array('--task=tortoise:stop', '--help')));
	}

	public function test_a_real_sidecar()
	{
		$program = $this->program();

		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    def twice(self, n):\n        return n * 2\n");
		$this->write('application/config/tortoise.php', '<?php return array("default" => array(
			"command" => "'.$program.'", "config" => "'.$this->write('tortoise.toml', "log_file = \"{$this->folder}sidecar.log\"\npid_file = \"{$this->folder}sidecar.pid\"\n").'",
			"server" => "unix://'.$this->folder.'t.sock", "python" => "'.ini_get('tortoise.python').'"));');

		$task = function ($name)
		{
			return $this->run_process(Tortoise_TaskTest::SCRIPT, array('minion'), array('--task=tortoise:'.$name));
		};

		$this->assertSame(0, $task('check')[0]);
		$this->assertSame(array(0, ''), array_values(array_diff_key($task('start'), array(1 => ''))));

		try
		{
			$this->assertSame('14', $this->run_script('echo (new Foo_Qux)->twice(7);'));
			$this->assertSame(array(0, ''), array_values(array_diff_key($task('status'), array(1 => ''))));
			$this->assertSame(array(0, ''), array_values(array_diff_key($task('restart'), array(1 => ''))));
		}
		finally
		{
			$stopped = $task('stop');
		}

		$this->assertSame(0, $stopped[0], $stopped[2]);
	}

}
