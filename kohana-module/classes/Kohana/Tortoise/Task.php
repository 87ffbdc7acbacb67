<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * What the Minion tasks have in common: each is a command of the program `tortoise`.
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
abstract class Kohana_Tortoise_Task extends Minion_Task {

	/**
	 * Runs a command, and ends with its exit status if it has failed.
	 *
	 * @param   string  $command
	 * @param   array   $params     parameters of the task
	 * @param   array   $arguments  more arguments of the command
	 * @return  void
	 */
	protected function _run($command, array $params, array $arguments = array())
	{
		$status = Tortoise_Command::run($command, $arguments, $params['group']);

		if ($status !== 0)
		{
			// The program has said why
			exit($status);
		}
	}

}
