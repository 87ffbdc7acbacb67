<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Ends the sidecar, and waits until it has left.
 *
 * It takes this option:
 *
 *     --group  group of config/tortoise.php, "default" by default
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Task_Tortoise_Stop extends Tortoise_Task {

	protected $_options = array(
		'group' => NULL,
	);

	protected function _execute(array $params)
	{
		$this->_run('stop', $params);
	}

}
