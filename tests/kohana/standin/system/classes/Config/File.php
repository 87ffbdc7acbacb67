<?php defined('SYSPATH') OR die('No direct script access.');

class Config_File {

	public function load($group)
	{
		$config = array();

		foreach (Kohana::find_file('config', $group) as $file)
		{
			$config = array_replace_recursive($config, Kohana::load($file));
		}

		return $config;
	}

}
