<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Shows what the sidecar does: its state, its sessions, how many calls they have done.
 *
 * It takes these options:
 *
 *     --group  group of config/tortoise.php, "default" by default
 *     --json   writes JSON
 *
 * @package   Kohana/Tortoise
 * @category  Tasks
 */
class Task_Tortoise_Status extends Tortoise_Task {

	protected $_options = array(
		'group' => NULL,
		'json'  => FALSE,
	);

	protected function _execute(array $params)
	{
		$this->_run('status', $params, $params['json'] === FALSE ? array() : array('--json'));
	}

}
