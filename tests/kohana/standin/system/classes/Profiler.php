<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Times by group and name.
 */
class Profiler {

	protected static $_marks = array();

	public static function start($group, $name)
	{
		$token = 'kp/'.count(Profiler::$_marks);

		Profiler::$_marks[$token] = array('group' => strtolower($group), 'name' => $name, 'start' => hrtime(TRUE));

		return $token;
	}

	public static function stop($token)
	{
		Profiler::$_marks[$token]['stop'] = hrtime(TRUE);
	}

	public static function delete($token)
	{
		Profiler::$_marks[$token] = NULL;
	}

	public static function groups()
	{
		$groups = array();

		foreach (array_filter(Profiler::$_marks) as $token => $mark)
		{
			$groups[$mark['group']][$mark['name']][] = $token;
		}

		return $groups;
	}

	public static function total($token)
	{
		$mark = Profiler::$_marks[$token];

		return array(($mark['stop'] - $mark['start']) / 1e9, 0);
	}

}
