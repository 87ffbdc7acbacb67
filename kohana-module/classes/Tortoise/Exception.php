<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise_Exception extends Kohana_Tortoise_Exception {}
