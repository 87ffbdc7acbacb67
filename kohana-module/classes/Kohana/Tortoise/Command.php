<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Runs the program `tortoise` with the settings of a group, for the Minion tasks.
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Kohana_Tortoise_Command {

	/**
	 * Runs a command of the program. Its output goes where PHP's goes.
	 *
	 *     $status = Tortoise_Command::run('status', array('--json'));
	 *
	 * @param   string  $command    `status`, `start`, `stop`, `restart` or `check`
	 * @param   array   $arguments  more arguments
	 * @param   string  $group      name of a group of config/tortoise.php, [Tortoise::$default] by default
	 * @return  integer  its exit status
	 * @throws  Tortoise_Exception  if the settings do not say which sidecar, or there is no such program
	 */
	public static function run($command, array $arguments = array(), $group = NULL)
	{
		$line = array_merge(Tortoise_Command::line($command, $group), $arguments);

		// What PHP still holds comes before what the program writes
		while (ob_get_level())
		{
			ob_end_flush();
		}

		flush();

		$process = proc_open($line, array(STDIN, STDOUT, STDERR), $pipes);

		return is_resource($process) ? proc_close($process) : 1;
	}

	/**
	 * The command line.
	 *
	 * @param   string  $command
	 * @param   string  $group
	 * @return  array
	 * @throws  Tortoise_Exception  as [Tortoise_Command::run]
	 */
	public static function line($command, $group = NULL)
	{
		$tortoise = Tortoise::instance($group);

		$line = array(Tortoise_Command::_program($tortoise->setting('command')), $command);

		if (($file = $tortoise->setting('config')) !== NULL)
		{
			$line[] = '--config='.$file;
		}

		if ($command !== 'check')
		{
			$line[] = ($command === 'start' ? '--listen=' : '--address=').Tortoise_Command::_address($tortoise);
		}

		if ($command === 'check' OR $command === 'start')
		{
			$line[] = '--path='.implode(PATH_SEPARATOR, Tortoise::paths());

			foreach (array('python' => 'python', 'modules' => 'modules') as $name => $flag)
			{
				if ($value = $tortoise->setting($name))
				{
					$line[] = '--'.$flag.'='.(is_array($value) ? implode(',', $value) : $value);
				}
			}
		}

		if ($command !== 'check' AND $file = $tortoise->setting('token_file'))
		{
			$line[] = '--token-file='.$file;
		}

		return $line;
	}

	/**
	 * Where the sidecar listens.
	 *
	 * @param   Tortoise  $tortoise
	 * @return  string
	 */
	protected static function _address(Tortoise $tortoise)
	{
		$server = $tortoise->setting('server');

		if ($server === NULL OR $server === 'auto')
			throw new Tortoise_Exception('The group :group of config/tortoise.php has no server, so PHP starts a sidecar of its own when it needs one, and ends it. For one that runs as a service set \'server\' => \'unix:///run/tortoise/tortoise.sock\'.', array(
				':group' => (string) $tortoise,
			));

		return $server;
	}

	/**
	 * The program.
	 *
	 * @param   string  $command  path, or name of a file in PATH
	 * @return  string  its path
	 */
	protected static function _program($command)
	{
		$places = strpos($command, '/') === FALSE ? explode(PATH_SEPARATOR, (string) getenv('PATH')) : array('');

		foreach ($places as $place)
		{
			$file = $place === '' ? $command : rtrim($place, '/').'/'.$command;

			if (is_file($file) AND is_executable($file))
				return $file;
		}

		throw new Tortoise_Exception('There is no program :command. Say where it is by \'command\' in config/tortoise.php.', array(
			':command' => $command,
		));
	}

}
