<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Checks the settings and imports every Python class of the application. No sidecar need run.
 *
 * It takes this option:
 *
 *     --group  group of config/tortoise.php, "default" by default
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Task_Tortoise_Check extends Tortoise_Task {

	protected $_options = array(
		'group' => NULL,
	);

	protected function _execute(array $params)
	{
		$this->_run('check', $params);
	}

}
