<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Starts the sidecar of the settings in the background, and ends when it is ready.
 *
 * It takes this option:
 *
 *     --group  group of config/tortoise.php, "default" by default
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Task_Tortoise_Start extends Tortoise_Task {

	protected $_options = array(
		'group' => NULL,
	);

	protected function _execute(array $params)
	{
		$this->_run('start', $params);
	}

}
