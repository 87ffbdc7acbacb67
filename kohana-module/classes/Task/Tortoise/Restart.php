<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Replaces the sidecar by a new one, and loses no request.
 *
 * It takes this option:
 *
 *     --group  group of config/tortoise.php, "default" by default
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Task_Tortoise_Restart extends Tortoise_Task {

	protected $_options = array(
		'group' => NULL,
	);

	protected function _execute(array $params)
	{
		$this->_run('restart', $params);
	}

}
